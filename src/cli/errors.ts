// Exit codes of commands, for scripts. People get one line on stderr.

export const EXIT = {
  done: 0,
  /** Something failed; the output says what. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Not found, or no match. */
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
