// The command line of the corpus.

import { parseArgs } from 'node:util'
import { GROUPS, type Group } from './model.ts'

export const usage = `Runs files of every kind through the real lanes and compares the results with the expectations

  --group NAME    only this group (${GROUPS.join(', ')})
  --only TEXT     only rows whose name contains TEXT
  --docs FILE     write the complete table as Markdown; not together with --group or --only
  --json FILE     write the results as JSON
  --keep DIR      make the files in this folder and keep them
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

/** An invalid command line; the message names the wrong part. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const

/** Returns 'help' or 'list' if one of them is given. Throws UsageError. */
export function parseCommandLine(argv: readonly string[]): CommandLine | 'help' | 'list' {
  const { help, list, group, only, docs, json, keep } = readValues(argv)
  if (help) return 'help'
  if (list) return 'list'
  if (group !== undefined && !isGroup(group)) throw new UsageError(`there is no group ${group}`)
  if (docs !== undefined && (group !== undefined || only !== undefined))
    throw new UsageError('--docs writes the complete table; it cannot be used with --group or --only')
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
