// Errors of usage, and running a tool to its exit code.

/** An error that the user can correct: shown without a stack; the exit code is 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}

/** Runs a tool to its exit code. A UsageError is shown as its message, other errors with their stack; `--help` shows `usage`. */
export async function runTool(usage: string, tool: () => Promise<number>): Promise<void> {
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${usage}\n`)
    return
  }
  try {
    process.exitCode = await tool()
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n`)
      process.exitCode = 2
    } else {
      process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
      process.exitCode = 1
    }
  }
}

/** An integer or decimal number within limits, or a UsageError that names the option. */
export function numberOption(
  name: string,
  text: string | undefined,
  limits: { fallback: number; min: number; max: number; whole?: boolean },
): number {
  if (text === undefined) return limits.fallback
  const value = Number(text)
  const fits = Number.isFinite(value) && value >= limits.min && value <= limits.max
  if (text.trim() === '' || !fits || (limits.whole === true && !Number.isInteger(value)))
    throw new UsageError(`--${name} must be a number from ${limits.min} to ${limits.max}, not ${text}`)
  return value
}
