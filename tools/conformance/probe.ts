// What the server announces, read once before the checks: OPTIONS, and whether an upload can be
// read back by GET (not part of tus, but many servers offer it, and then content can be compared too).
import type { Exchange } from './exchange.ts'
import { succeeded } from './expect.ts'
import { Harness, type HarnessOptions, type ServerFacts } from './harness.ts'
import { Blocked, Deviation } from './model.ts'
import type { Payload } from './payload.ts'
import { field } from './wire/message.ts'

/** The items of a comma-separated header; empty for an absent one. */
export function listItems(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

export const nothingKnown: ServerFacts = {
  extensions: new Set(),
  versions: [],
  maxSizeBytes: undefined,
  checksumAlgorithms: [],
  draft: false,
  readBack: false,
}

/** Facts (`assumed` extensions count as announced), or the exchange that shows why there are none (no server, or no answer to OPTIONS). */
export async function probe(
  options: HarnessOptions,
  payload: Payload,
  assumed: readonly string[] = [],
): Promise<{ facts: ServerFacts; answer: Exchange }> {
  const t = new Harness(options, nothingKnown, payload)
  const answer = await t.optionsRequest()
  const asDraft = await t.optionsRequest({ 'Upload-Draft-Interop-Version': '6' })
  await t.dispose()
  if (!answer.response) return { facts: nothingKnown, answer }
  const header = (name: string) => (answer.response ? field(answer.response, name) : undefined)
  const maxSize = header('tus-max-size')
  const announced: ServerFacts = {
    extensions: new Set([...listItems(header('tus-extension')), ...assumed]),
    versions: listItems(header('tus-version')),
    maxSizeBytes: maxSize !== undefined && /^\d+$/.test(maxSize) ? BigInt(maxSize) : undefined,
    checksumAlgorithms: listItems(header('tus-checksum-algorithm')),
    draft: asDraft.response !== undefined && field(asDraft.response, 'upload-limit') !== undefined,
    readBack: false,
  }
  const readBack = await canReadBack(new Harness(options, announced, payload))
  return { facts: { ...announced, readBack }, answer }
}

async function canReadBack(t: Harness): Promise<boolean> {
  try {
    const upload = await t.createComplete()
    const x = await t.send({ method: 'GET', url: upload.url })
    return succeeded(x) && x.response?.body.equals(t.payload.bytes(0, t.options.sizeBytes)) === true
  } catch (error) {
    // If no upload can be created, the checks report it in detail.
    if (error instanceof Blocked || error instanceof Deviation) return false
    throw error
  } finally {
    await t.dispose()
  }
}
