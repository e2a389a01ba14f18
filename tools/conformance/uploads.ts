// URLs of uploads that do not exist, and helpers to finish an upload after an interruption.
import { succeeded } from './expect.ts'
import { type Harness, pause, type Upload } from './harness.ts'
import { Deviation } from './model.ts'

/**
 * The URL of an upload that was never created: a real one with the last eight letters and digits of its id
 * changed, so that its form is right (and a signature in it wrong).
 */
export async function unknownUpload(t: Harness): Promise<URL> {
  const upload = await t.create()
  return changedId(upload)
}

export function changedId(upload: Pick<Upload, 'url'>): URL {
  const url = new URL(upload.url.href)
  const { folder, id, end } = splitPath(url)
  url.pathname = folder + scramble(id) + end
  if (url.pathname === upload.url.pathname) url.search = scramble(url.search)
  return url
}

/** "/files/abc/" is the folder "/files/", the id "abc" and the end "/". */
export function splitPath(url: URL): { folder: string; id: string; end: string } {
  const match = /^(.*\/)([^/]*)$/.exec(url.pathname.replace(/\/$/, ''))
  const end = url.pathname.endsWith('/') ? '/' : ''
  return { folder: match?.[1] ?? '/', id: match?.[2] ?? '', end }
}

/** Other letters and digits in the last eight places that have any. */
function scramble(text: string): string {
  const letters = [...text]
  let left = 8
  for (let at = letters.length - 1; at >= 0 && left > 0; at -= 1) {
    if (!/[0-9a-zA-Z]/.test(letters[at] ?? '')) continue
    letters[at] = letters[at] === '0' ? '1' : '0'
    left -= 1
  }
  return letters.join('')
}

/**
 * The offset once it is stable: three equal HEAD responses, 150 ms apart, because a server may still
 * write bytes that it received before the connection broke. Waits at most the take-over time.
 */
export async function settledOffset(t: Harness, upload: Pick<Upload, 'url'>): Promise<number> {
  const deadline = Date.now() + t.options.takeoverMs
  const seen: number[] = []
  for (;;) {
    seen.push(await t.offsetOf(upload, Math.max(1, deadline - Date.now())))
    const [last, ...before] = seen.slice(-3).reverse()
    if (last !== undefined && before.length === 2 && before.every((offset) => offset === last)) return last
    if (Date.now() >= deadline) throw new Deviation('an offset that comes to rest', `HEAD said ${seen.join(', ')}`)
    await pause(150)
  }
}

export interface Resumed {
  /** From the call until a PATCH was acknowledged. */
  readonly elapsedMs: number
  /** Offset at which the acknowledged PATCH began. */
  readonly offset: number
  /** Statuses of the tries before, e.g. "HEAD 423". */
  readonly refusals: readonly string[]
}

/**
 * Does what a client does after a broken connection: HEAD, PATCH from there, and again on refusal, until
 * `total` bytes are stored. Throws Deviation when that takes longer than `withinMs`.
 */
export async function resume(
  t: Harness,
  upload: Pick<Upload, 'url'>,
  total: number,
  withinMs: number,
): Promise<Resumed> {
  const startedAt = Date.now()
  const refusals: string[] = []
  const left = () => withinMs - (Date.now() - startedAt)
  while (left() > 0) {
    const asked = await t.head(upload, {}, left())
    const offset = succeeded(asked) ? Number(asked.response?.fields.find(isOffset)?.[1]) : Number.NaN
    if (!Number.isSafeInteger(offset)) {
      refusals.push(`HEAD ${asked.response?.status ?? asked.got}`)
    } else if (offset > total) {
      throw new Deviation(`an offset up to ${total}`, asked.got, asked.request)
    } else {
      const body = t.payload.bytes(offset, total)
      const sent = await t.send({ ...t.patchSpec(upload, offset, body), timeoutMs: Math.max(1, left()) })
      if (sent.response?.status === 204) return { elapsedMs: Date.now() - startedAt, offset, refusals }
      refusals.push(`PATCH ${sent.response?.status ?? sent.got}`)
    }
    await pause(50)
  }
  throw new Deviation(`the upload goes on within ${withinMs} ms`, describeRefusals(refusals))
}

function isOffset([name]: readonly [string, string]): boolean {
  return name.toLowerCase() === 'upload-offset'
}

/** "HEAD 423 x 12, PATCH 409" */
export function describeRefusals(refusals: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const refusal of refusals) counts.set(refusal, (counts.get(refusal) ?? 0) + 1)
  return [...counts].map(([what, times]) => (times === 1 ? what : `${what} x ${times}`)).join(', ') || 'nothing'
}
