// The file source of tus-js-client: slices that can be paced like a slow connection and cut at a given byte.

import { Readable } from 'node:stream'
import type { FileReader } from 'tus-js-client'
import type { ByteAllowance } from './byte-allowance.ts'
import { CHUNK_BYTES, type Source } from './source.ts'

export type BodyOptions = {
  source: Source
  /** Speed of the connection; undefined: unlimited. */
  bytesPerSecond?: number | undefined
  /** Of all connections of this process together. */
  allowance?: ByteAllowance | undefined
  /** Offsets at which `onCut` is called, each once, when that many bytes have been handed over. */
  cutAt?: readonly number[] | undefined
  onCut?: (offset: number) => void
  onBytes?: (bytes: number) => void
  /** Called when the last bytes of a slice are handed over. */
  onEnd?: () => void
}

/** For tus-js-client's `fileReader`; the file given to its Upload is ignored. */
export function bodyReader(options: BodyOptions): FileReader {
  const cuts = [...(options.cutAt ?? [])].sort((a, b) => a - b)
  let current: Readable | undefined
  return {
    openFile: async () => ({
      size: options.source.bytes,
      slice: async (start, end) => {
        // The client does not end the body of a broken request, so its file is closed here.
        current?.destroy()
        const from = Math.min(start, options.source.bytes)
        const to = Math.min(end, options.source.bytes)
        current = Readable.from(pump(options, cuts, from, to), {
          objectMode: false,
          highWaterMark: CHUNK_BYTES,
        })
        // `size` is how the client's HTTP stack learns the Content-Length.
        return { value: Object.assign(current, { size: to - from }), done: to >= options.source.bytes }
      },
      close: () => {
        current?.destroy()
      },
    }),
  }
}

async function* pump(options: BodyOptions, cuts: number[], start: number, end: number) {
  const { source, bytesPerSecond, allowance, onCut, onBytes, onEnd } = options
  const startedMs = performance.now()
  let position = start
  if (end > start) {
    for await (const chunk of source.chunks(start, end)) {
      await allowance?.wait(chunk.length)
      position += chunk.length
      // Called before the yield: after it, this would run only when more is requested.
      if (position === end) onEnd?.()
      yield chunk
      onBytes?.(chunk.length)
      if (cuts[0] !== undefined && position >= cuts[0]) {
        cuts.shift()
        onCut?.(position)
      }
      if (bytesPerSecond !== undefined && position < end) {
        const dueMs = startedMs + ((position - start) / bytesPerSecond) * 1000
        const waitMs = dueMs - performance.now()
        if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }
}
