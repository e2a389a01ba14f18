// Messages of the scripts: on stderr, so that stdout has only the logs of the processes.

const bold = (text) => (process.stderr.isTTY ? `\u001b[1m${text}\u001b[0m` : text)

export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** An important line, in bold. */
export function shout(text) {
  process.stderr.write(`${bold(text)}\n`)
}

/** An error that a person must fix; shown as one message without a stack. */
export class Refusal extends Error {
  /** `exitCode` 78 (EX_CONFIG): a retry without a change fails again. */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export const asksForHelp = (args) => args.some((word) => word === '--help' || word === '-h')

/** Runs a script's main function; a Refusal becomes its message and exit code. `--help` shows `usage`, if given. */
export async function main(run, usage) {
  if (usage !== undefined && asksForHelp(process.argv.slice(2))) {
    process.stdout.write(`${usage}\n`)
    return
  }
  try {
    await run()
  } catch (error) {
    if (error instanceof Refusal) shout(error.message)
    else process.stderr.write(`${error?.stack ?? error}\n`)
    process.exitCode = error instanceof Refusal ? error.exitCode : 1
  }
}
