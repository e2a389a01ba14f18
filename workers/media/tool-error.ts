// Why a media tool failed, and the source of the error: `input` is the uploader's file (a retry is useless); the system is
// the machine, the store or the configuration (the job is retried, and no new upload is needed).

export type ToolErrorCode =
  | 'TOOL_MISSING'
  | 'TOOL_TIMEOUT'
  | 'TOOL_STALLED'
  | 'TOOL_KILLED'
  | 'TOOL_ABORTED'
  | 'TOOL_FAILED'
  | 'TOOL_CPU_LIMIT'
  | 'TOOL_MEMORY_LIMIT'
  | 'TOOL_OUTPUT_LIMIT'
  | 'TOOL_THREAD_LIMIT'
  | 'OUT_OF_SPACE'
  | 'SOURCE_UNREACHABLE'
  | 'INPUT_UNREADABLE'
  | 'INPUT_REFUSED'
  | 'OUTPUT_INVALID'

export type ErrorSource = 'input' | 'system'

/** How a run ended, as needed to find the source of the error. */
export type Ending = {
  exitCode: number | null
  signal: string | null
  stderrTail: string
  /** Why we ended it ourselves, if we did. */
  stopped?: 'wall' | 'idle' | 'abort' | 'output' | 'threads'
}

export class ToolError extends Error {
  override readonly name = 'ToolError'
  readonly code: ToolErrorCode
  readonly source: ErrorSource
  readonly stderrTail: string

  /** @param code stable, UPPER_SNAKE; @param source of the error; @param stderrTail last messages of the tool */
  constructor(code: ToolErrorCode, source: ErrorSource, message: string, stderrTail = '', options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.source = source
    this.stderrTail = stderrTail
  }
}

const LIMITS: ReadonlySet<ToolErrorCode> = new Set([
  'TOOL_CPU_LIMIT',
  'TOOL_MEMORY_LIMIT',
  'TOOL_OUTPUT_LIMIT',
  'TOOL_THREAD_LIMIT',
])

/** The tool reached one of our limits. The caller decides whether the file is the cause. */
export function isLimit(error: unknown): boolean {
  return error instanceof ToolError && LIMITS.has(error.code)
}

type Verdict = { code: ToolErrorCode; source: ErrorSource }

/**
 * Patterns in the order of the checks: errors of the machine come before errors of the file, because a
 * full disk also makes tools report errors of the data.
 */
const PATTERNS: ReadonlyArray<{ match: RegExp; verdict: Verdict }> = [
  {
    match: /No space left on device|Disk quota exceeded/i,
    verdict: { code: 'OUT_OF_SPACE', source: 'system' },
  },
  {
    match: /File too large|File size limit exceeded/i,
    verdict: { code: 'TOOL_OUTPUT_LIMIT', source: 'input' },
  },
  // Our own limits come before memory: ffmpeg reports too many streams as "Cannot allocate memory".
  {
    match: /not on whitelist|max pixel count|exceeds max_streams|Picture size .* is invalid/i,
    verdict: { code: 'INPUT_REFUSED', source: 'input' },
  },
  {
    match: /Cannot allocate memory|out of memory|memory exhausted|std::bad_alloc/i,
    verdict: { code: 'TOOL_MEMORY_LIMIT', source: 'input' },
  },
  // ffmpeg exits cleanly, with exit code 255, on the warning signal of the CPU limit (24, SIGXCPU).
  { match: /received signal 24/, verdict: { code: 'TOOL_CPU_LIMIT', source: 'input' } },
  {
    match: /error while loading shared libraries|failed to execute/i,
    verdict: { code: 'TOOL_MISSING', source: 'system' },
  },
  {
    match: /Permission denied|Read-only file system|Too many open files|No such file or directory/i,
    verdict: { code: 'TOOL_FAILED', source: 'system' },
  },
]

const SIGNAL_OF_EXIT: Partial<Record<number, string>> = {
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM',
  152: 'SIGXCPU',
  153: 'SIGXFSZ',
}

const STOPPED: Record<NonNullable<Ending['stopped']>, Verdict> = {
  // Limits are far above the needs of legitimate files, but a slow store looks the same: a system error, retried.
  wall: { code: 'TOOL_TIMEOUT', source: 'system' },
  idle: { code: 'TOOL_STALLED', source: 'system' },
  abort: { code: 'TOOL_ABORTED', source: 'system' },
  output: { code: 'TOOL_OUTPUT_LIMIT', source: 'input' },
  threads: { code: 'TOOL_THREAD_LIMIT', source: 'input' },
}

/** Exit code of the launcher: isolation failed, or no file to write to. */
const NOT_LAUNCHED = 125
/** An isolated process cannot send itself SIGABRT, so an abort ends by an illegal instruction. */
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGTRAP', 'SIGFPE'])

/** Finds why a run failed, from its exit code or signal, its last messages, and whether we stopped it. */
export function classify(ending: Ending): Verdict {
  if (ending.stopped) return STOPPED[ending.stopped]
  // A wrapper that stays in between reports its child's signal n as exit code 128 + n.
  const signal = ending.signal ?? SIGNAL_OF_EXIT[ending.exitCode ?? 0] ?? null
  if (signal === 'SIGXCPU') return { code: 'TOOL_CPU_LIMIT', source: 'input' }
  if (signal === 'SIGXFSZ') return { code: 'TOOL_OUTPUT_LIMIT', source: 'input' }
  // A decoder that crashes because of a file crashes again.
  if (CRASHES.has(signal ?? '')) {
    return { code: 'INPUT_UNREADABLE', source: 'input' }
  }
  if (signal !== null) return { code: 'TOOL_KILLED', source: 'system' }
  if (ending.exitCode === NOT_LAUNCHED) {
    const isFull = /No space left on device|Disk quota exceeded/.test(ending.stderrTail)
    return { code: isFull ? 'OUT_OF_SPACE' : 'TOOL_FAILED', source: 'system' }
  }
  if (ending.exitCode === 126 || ending.exitCode === 127) return { code: 'TOOL_MISSING', source: 'system' }
  for (const { match, verdict } of PATTERNS) if (match.test(ending.stderrTail)) return verdict
  return { code: 'INPUT_UNREADABLE', source: 'input' }
}
