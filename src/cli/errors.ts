// How a command ends, for scripts that call it. What a person has to know is one line on stderr.

export const EXIT = {
  done: 0,
  /** Something was not done; the output says what. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** There is nothing of that name, or nobody fits. */
  notFound: 3,
  /** Redis or the store does not answer (EX_UNAVAILABLE). */
  unavailable: 69,
  /** The configuration is wrong (EX_CONFIG). */
  config: 78,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** A command that ends with a message instead of a stack. */
export class CliError extends Error {
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message)
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CliError {
  return new CliError(message, EXIT.usage)
}
