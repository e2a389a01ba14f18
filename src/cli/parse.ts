// Parses the command line into a command that is ready to run, before anything is opened.

import { parseArgs } from 'node:util'
import type { Command, CommandAlone, Context, Result } from './command.ts'
import { flag, type Values } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { type ExitCode, usageError } from './errors.ts'

export type Parsed =
  | { kind: 'help'; text: string }
  | { kind: 'alone'; run: (say: (line: string) => void) => Promise<ExitCode> }
  | { kind: 'run'; name: string; json: boolean; run: (context: Context) => Promise<Result> }

/** Throws a usage error with the reason and a hint to the help. */
export function parseCommandLine(args: readonly string[]): Parsed {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h')
    return { kind: 'help', text: overview() }
  const command = COMMANDS.find((one) => one.name === name)
  if (command === undefined) throw usageError(`There is no command "${name}". songngan --help lists them.`)
  const { positionals, values } = parsed(command, rest)
  if (values['help'] === true) return { kind: 'help', text: helpOf(command) }
  if ('prepareAlone' in command) return { kind: 'alone', run: command.prepareAlone(positionals, values) }
  return { kind: 'run', name, json: values['json'] === true, run: command.prepare(positionals, values) }
}

function parsed(command: Command | CommandAlone, args: readonly string[]): { positionals: string[]; values: Values } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...command.options, json: flag, help: { ...flag, short: 'h' } },
    })
    return { positionals, values: values as Values }
  } catch (error) {
    const [why] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw usageError(`${why}\nsongngan ${command.name} ${command.takes}`)
  }
}

function overview(): string {
  const wide = Math.max(...COMMANDS.map(({ name }) => name.length))
  return [
    'songngan COMMAND [--json] [--help]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(wide)}  ${summary}`),
    '',
    '  start, service, worker, try, surge, …: as the npm scripts of these names',
    '',
    'Uses the same environment, .env and data directory as `npm start`. Works with and without a running service.',
    'Exit codes: 0 done, 1 something failed, 2 wrong command line, 3 not found, 69 Redis or the store is not',
    'available, 78 wrong configuration.',
  ].join('\n')
}

function helpOf(command: Command | CommandAlone): string {
  const { name, takes, summary, help } = command
  const json = 'prepareAlone' in command ? [] : ['--json: the result as JSON']
  return [`songngan ${name} ${takes}`, '', summary, '', ...help, ...json].join('\n')
}
