// Whether an AVI is all there: a chain of RIFF chunks (Microsoft RIFF; OpenDML AVI 1.02 for more than one), each of which
// says how long it is. ffmpeg plays what is left of a broken copy without a word.

import type { MediaSource } from './source.ts'

const HEADER_BYTES = 12
/** Of a gibibyte each: more than any camera writes. */
const MAX_CHUNKS = 4096
/** Writers count a few bytes too many, and behind the last index nothing is lost. */
const SLACK_BYTES = 1024

/** True where a chunk claims bytes that are not there. A length of 0, as a live recorder leaves it, claims nothing. */
export async function isRiffCutOff(source: MediaSource): Promise<boolean> {
  let at = 0
  for (let n = 0; n < MAX_CHUNKS && at + HEADER_BYTES <= source.bytes; n++) {
    const header = await source.readAt(at, HEADER_BYTES)
    if (header.toString('latin1', 0, 4) !== 'RIFF') return false
    const bytes = header.readUInt32LE(4)
    if (bytes === 0 || bytes === 0xffff_ffff) return false
    // Chunks begin at even places.
    at += 8 + bytes + (bytes % 2)
  }
  return at > source.bytes + SLACK_BYTES
}
