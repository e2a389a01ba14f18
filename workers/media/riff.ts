// Whether an AVI is complete: it is a chain of RIFF chunks (Microsoft RIFF; OpenDML AVI 1.02 for more than one), each with
// its length. ffmpeg plays the rest of a truncated file without an error.

import type { MediaSource } from './source.ts'

const HEADER_BYTES = 12
/** Most chunks of one GiB each; more than any camera writes. */
const MAX_CHUNKS = 4096
/** Some writers count a few bytes too many; after the last index nothing is lost. */
const SLACK_BYTES = 1024

/** True if a chunk declares bytes that are missing. A length of 0, as a live recorder leaves it, declares nothing. */
export async function isRiffCutOff(source: MediaSource): Promise<boolean> {
  let at = 0
  for (let n = 0; n < MAX_CHUNKS && at + HEADER_BYTES <= source.bytes; n++) {
    const header = await source.readAt(at, HEADER_BYTES)
    if (header.toString('latin1', 0, 4) !== 'RIFF') return false
    const bytes = header.readUInt32LE(4)
    if (bytes === 0 || bytes === 0xffff_ffff) return false
    // Chunks begin at even offsets.
    at += 8 + bytes + (bytes % 2)
  }
  return at > source.bytes + SLACK_BYTES
}
