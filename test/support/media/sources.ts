// Byte sources for tests: from memory, counting reads.

import type { MediaSource } from '../../../workers/media/source.ts'

export type CountedSource = MediaSource & { reads: Array<{ position: number; length: number }> }

/** A source over a buffer that records what is read of it. */
export function memorySource(bytes: Buffer): CountedSource {
  const reads: CountedSource['reads'] = []
  return {
    bytes: bytes.length,
    reads,
    async readAt(position, length) {
      reads.push({ position, length })
      return bytes.subarray(position, position + length)
    },
    async *stream() {
      yield bytes
    },
  }
}
