// ffmpeg's `-progress` output: blocks of key=value lines, each closed by `progress=continue` or `progress=end`.
// Read from a descriptor of its own. The library's own progress event is not used: it starts a second, unguarded ffprobe
// on the file, and its percentages are NaN if a header is wrong.

export type ProgressBlock = {
  /** Seconds of output written so far; null while ffmpeg prints N/A. */
  outSeconds: number | null
  frames: number | null
  outBytes: number | null
  /** Multiples of real time. */
  speed: number | null
  end: boolean
}

/** A consumer for the bytes of a pipe: calls `onLine` for every complete line. */
export function lineReader(onLine: (line: string) => void): (chunk: Buffer) => void {
  let partial = ''
  return (chunk) => {
    const lines = (partial + chunk.toString('latin1')).split('\n')
    partial = (lines.pop() ?? '').slice(-4096)
    for (const line of lines) onLine(line)
  }
}

/**
 * A consumer for the bytes of a progress pipe.
 *
 * @param onBlock called for each complete block
 * @param onAdvance called only if time, frames or bytes have increased: a hung tool repeats the same block
 */
export function progressParser(
  onBlock: (block: ProgressBlock) => void,
  onAdvance: () => void,
): (chunk: Buffer) => void {
  let fields = new Map<string, string>()
  let position = ''
  return lineReader((line) => {
    const at = line.indexOf('=')
    if (at < 0) return
    const key = line.slice(0, at).trim()
    fields.set(key, line.slice(at + 1).trim())
    if (key !== 'progress') return
    const block = toBlock(fields)
    fields = new Map()
    const now = `${block.outSeconds}/${block.frames}/${block.outBytes}/${block.end}`
    if (now !== position) onAdvance()
    position = now
    onBlock(block)
  })
}

function toBlock(fields: ReadonlyMap<string, string>): ProgressBlock {
  const number = (key: string): number | null => {
    const value = Number.parseFloat(fields.get(key) ?? '')
    return Number.isFinite(value) ? value : null
  }
  const micros = number('out_time_us')
  return {
    // before the first packet ffmpeg prints the lowest 64-bit integer
    outSeconds: micros === null || micros < -1e12 ? null : micros / 1e6,
    frames: number('frame'),
    outBytes: number('total_size'),
    speed: number('speed'),
    end: fields.get('progress') === 'end',
  }
}

/** Shown to the user: 0 to 99.9 until the output is verified, and the estimated seconds left. */
export type EncodingProgress = { percent: number; etaSeconds: number | null }

/**
 * Turns blocks into percent and remaining time, from the measured duration (never the header's).
 *
 * @param durationSeconds of the finished output
 * @param now milliseconds, monotonic or not; only differences count
 */
export function progressMeter(durationSeconds: number, now: () => number): (block: ProgressBlock) => EncodingProgress {
  const startedMs = now()
  let highest = 0
  return (block) => {
    const done = block.outSeconds === null || durationSeconds <= 0 ? 0 : block.outSeconds / durationSeconds
    highest = Math.max(highest, Math.min(0.999, Math.max(0, done)))
    const elapsedSeconds = (now() - startedMs) / 1000
    const etaSeconds = highest > 0.005 ? Math.round((elapsedSeconds * (1 - highest)) / highest) : null
    return { percent: Math.round(highest * 1000) / 10, etaSeconds }
  }
}
