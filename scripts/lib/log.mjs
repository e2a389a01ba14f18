// What the scripts say to people: on stderr, so that stdout carries only what the processes log.

const bold = (text) => (process.stderr.isTTY ? `\u001b[1m${text}\u001b[0m` : text)

export function say(text) {
  process.stderr.write(`${text}\n`)
}

/** A line that must not be overlooked. */
export function shout(text) {
  process.stderr.write(`${bold(text)}\n`)
}

/** Something a person has to do; thrown anywhere, shown as one message without a stack. */
export class Refusal extends Error {
  /** `exitCode` 78 (EX_CONFIG): trying again without a change is useless. */
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

export const asksForHelp = (args) => args.some((word) => word === '--help' || word === '-h')

/** Runs a script's main function; a Refusal becomes its message and exit code. `--help` shows `usage`, where there is one. */
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
