// Connections of teachers, and how they break. A pure model: all breaks are drawn before the run begins.

/** `drop`: the connection is reset. `halfOpen`: the connection stays open without data; the server is not notified. */
export type BreakKind = 'drop' | 'halfOpen'

export type PlannedBreak = {
  /** Share of the file sent before the break, in (0, 1). */
  at: number
  kind: BreakKind
  /** Milliseconds that the client is away; 0: it retries immediately, by its own schedule. */
  awayMs: number
}

export type LineClass = {
  name: string
  /** Share of the teachers, and median upload speed. */
  share: number
  mbit: number
  /** Speeds are between the median divided by this and multiplied by this. */
  spread: number
  /** Share of these connections that break at least once. */
  breaking: number
  /** Share of the breaks that leave a half-open connection. */
  halfOpen: number
  /** Share of the breaks after which the phone is away for some time: a tunnel, a pocket, an empty battery. */
  vanishing: number
}

/** Upload speeds: with ADSL about a tenth of the download speed. */
export const LINES: readonly LineClass[] = [
  { name: 'ADSL', share: 0.35, mbit: 0.8, spread: 1.3, breaking: 0.2, halfOpen: 0.3, vanishing: 0.1 },
  { name: 'fibre', share: 0.25, mbit: 10, spread: 1.5, breaking: 0.06, halfOpen: 0.2, vanishing: 0.1 },
  { name: '4G', share: 0.25, mbit: 6, spread: 2, breaking: 0.45, halfOpen: 0.4, vanishing: 0.25 },
  { name: 'weak 4G', share: 0.15, mbit: 1.5, spread: 2, breaking: 0.8, halfOpen: 0.5, vanishing: 0.35 },
]

const MORE_BREAKS = 0.3
const MOST_BREAKS = 3
/** How long a progress bar stands still before the app or its user retries. */
const NOTICE_MS = [1000, 4000] as const
const AWAY_MS = [5000, 15_000] as const
const BYTES_PER_MBIT = 125_000

export type Line = { name: string; bytesPerSecond: number; breaks: PlannedBreak[] }

/** @param random numbers in [0, 1) */
export function drawLine(random: () => number, speed: number): Line {
  const line = classAt(random())
  const factor = line.spread ** (2 * random() - 1)
  const breaks: PlannedBreak[] = []
  for (let chance = line.breaking; breaks.length < MOST_BREAKS && random() < chance; chance = MORE_BREAKS)
    breaks.push(drawBreak(line, random))
  return {
    name: line.name,
    bytesPerSecond: line.mbit * BYTES_PER_MBIT * factor * speed,
    breaks: breaks.sort((a, b) => a.at - b.at),
  }
}

/** @param share in [0, 1) */
function classAt(share: number): LineClass {
  let passed = 0
  for (const line of LINES) {
    passed += line.share
    if (share < passed) return line
  }
  return LINES.at(-1) as LineClass
}

function drawBreak(line: LineClass, random: () => number): PlannedBreak {
  const at = 0.1 + 0.85 * random()
  const kind = random() < line.halfOpen ? 'halfOpen' : 'drop'
  if (random() < line.vanishing) return { at, kind, awayMs: between(AWAY_MS, random()) }
  return { at, kind, awayMs: kind === 'halfOpen' ? between(NOTICE_MS, random()) : 0 }
}

function between([low, high]: readonly [number, number], share: number): number {
  return Math.round(low + (high - low) * share)
}
