// The command line of the corpus.

import { parseArgs } from 'node:util'
import { GROUPS, type Group } from './model.ts'

export const usage = `Files of every kind through the real lanes, one after the other: expected against got

  --group NAME    only this group (${GROUPS.join(', ')})
  --only TEXT     only rows whose name contains TEXT
  --docs FILE     write the whole table as Markdown; not together with --group or --only
  --json FILE     write what was got as JSON
  --keep DIR      make the files in this folder and leave them there
  --list          print the table with its expectations and stop
  --help

Needs ffmpeg, qpdf, pdftoppm and redis-server. Exit code: 0 all rows are as expected, 1 some are not, 2 the corpus could
not be run.`

export type CommandLine = {
  group?: Group
  only?: string
  docsFile?: string
  jsonFile?: string
  keepDir?: string
}

/** A command line that cannot be obeyed; the message says which part. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Returns 'help' or 'list' where those are asked for. Throws UsageError. */
export function parseCommandLine(argv: readonly string[]): CommandLine | 'help' | 'list' {
  const { help, list, group, only, docs, json, keep } = readValues(argv)
  if (help) return 'help'
  if (list) return 'list'
  if (group !== undefined && !isGroup(group)) throw new UsageError(`there is no group ${group}`)
  if (docs !== undefined && (group !== undefined || only !== undefined))
    throw new UsageError('--docs is for the whole table')
  return {
    ...(group === undefined ? {} : { group }),
    ...(only === undefined ? {} : { only }),
    ...(docs === undefined ? {} : { docsFile: docs }),
    ...(json === undefined ? {} : { jsonFile: json }),
    ...(keep === undefined ? {} : { keepDir: keep }),
  }
}

function isGroup(name: string): name is Group {
  return GROUPS.some((group) => group === name)
}

function readValues(argv: readonly string[]) {
  const options = { group: text, only: text, docs: text, json: text, keep: text, list: flag, help: flag }
  try {
    return parseArgs({ args: [...argv], options }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}
