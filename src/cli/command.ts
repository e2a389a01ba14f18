// What a command is: what it takes, what it says of itself, what it does.

import type { ParseArgsConfig } from 'node:util'
import type { Deps } from '../deps.ts'
import type { Controls } from '../ops/controls.ts'
import type { FindIndex } from '../ops/find/find-index.ts'
import type { CasesOf } from '../support/lookup.ts'
import type { ExitCode } from './errors.ts'

export type Values = Record<string, string | boolean | undefined>

export type Context = {
  deps: Deps
  controls: Controls
  find: FindIndex
  cases: CasesOf
  /** Who calls, for the list of what was switched. */
  operator: string
  nowMs: number
  /** Writes a line of the result at once, for results that are long. Waits for who reads slowly. */
  line: (text: string) => Promise<void>
}

export type Result = {
  /** All of it, for `--json`. Absent: it was written line by line. */
  json?: unknown
  text: readonly string[]
  exitCode?: ExitCode
}

export type Command = {
  name: string
  /** What follows the name. */
  takes: string
  /** One line. */
  summary: string
  /** Lines below the usage: options and what has to be known. */
  help: readonly string[]
  options: NonNullable<ParseArgsConfig['options']>
  /** Before anything is opened: throws a usage error. @returns what is done with a context */
  prepare: (positionals: readonly string[], values: Values) => (context: Context) => Promise<Result>
}

/** An option that takes a value. */
export const text = { type: 'string' } as const
export const flag = { type: 'boolean' } as const

/** The value of a text option. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
