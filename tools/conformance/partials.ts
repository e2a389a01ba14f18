// Partial uploads and the final upload made of them (extension concatenation).
import type { Exchange } from './exchange.ts'
import { type Harness, pause, type Upload } from './harness.ts'
import { Deviation } from './model.ts'
import { field, type Headers } from './wire/message.ts'

/** A partial upload for the payload's bytes [from, to), with the first `stored` of them sent (default: all). */
export async function createPartial(
  t: Harness,
  from: number,
  to: number,
  stored = to - from,
  headers: Headers = {},
): Promise<Upload> {
  const upload = await t.create({ length: to - from, headers: { 'Upload-Concat': 'partial', ...headers } })
  if (stored > 0) await t.mustPatch(upload, 0, t.payload.bytes(from, from + stored))
  return upload
}

/** How a final upload names its parts. */
export const forms = {
  absolute: (upload: Upload) => upload.url.href,
  relative: (upload: Upload) => upload.url.pathname + upload.url.search,
} as const

export async function postFinal(
  t: Harness,
  parts: readonly Upload[],
  form: keyof typeof forms = 'absolute',
  headers: Headers = {},
): Promise<Exchange> {
  return await t.post({ 'Upload-Concat': `final;${parts.map(forms[form]).join(' ')}`, ...headers })
}

/** Two halves of the payload, complete, and the final upload of them, answered with 201 (else Blocked). */
export async function createFinal(t: Harness, form: keyof typeof forms = 'absolute') {
  const size = t.options.sizeBytes
  const parts = [await createPartial(t, 0, size / 2), await createPartial(t, size / 2, size)] as const
  const created = await postFinal(t, parts, form)
  return { parts, final: t.uploadOf(created, size), created }
}

/** HEAD on a final upload once its Upload-Offset equals its Upload-Length; servers may need time for it. */
export async function assembled(t: Harness, final: Upload): Promise<Exchange> {
  const deadline = Date.now() + t.options.timeoutMs
  for (;;) {
    const x = await t.head(final)
    const [offset, length] = ['Upload-Offset', 'Upload-Length'].map((name) => x.response && field(x.response, name))
    if (offset !== undefined && offset === length) return x
    if (Date.now() >= deadline) {
      throw new Deviation('equal Upload-Offset and Upload-Length after concatenation', x.got, x.request)
    }
    await pause(100)
  }
}

/** The URLs in an Upload-Concat value, resolved against the upload they belong to. */
export function namedParts(value: string, base: URL): string[] {
  return value
    .replace(/^final;/, '')
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => (URL.canParse(part, base.href) ? new URL(part, base).href : part))
}
