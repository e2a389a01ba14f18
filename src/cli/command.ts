// The interface of a command: its arguments, its help and its action.

import type { ParseArgsConfig } from 'node:util'
import type { Actor, SecurityEvent } from '../audit/security-events.ts'
import type { Deps } from '../deps.ts'
import type { Controls } from '../ops/controls.ts'
import type { FindIndex } from '../ops/find/find-index.ts'
import type { SupportLookupOf } from '../support/lookup.ts'
import type { ExitCode } from './errors.ts'

export type Values = Record<string, string | boolean | undefined>

export type Context = {
  deps: Deps
  controls: Controls
  find: FindIndex
  support: SupportLookupOf
  /** The caller, for the security log. */
  operator: Actor
  nowMs: number
  /** Writes a line of a long result at once. Waits for slow readers. */
  line: (text: string) => Promise<void>
}

export type Result = {
  /** The whole result, for `--json`. Absent: it was written line by line. */
  json?: unknown
  text: readonly string[]
  exitCode?: ExitCode
  /** For the security log: what was changed, or read of people. */
  security?: Omit<SecurityEvent, 'actor'>
}

type Described = {
  name: string
  /** The arguments after the name. */
  takes: string
  /** One line. */
  summary: string
  /** Lines below the usage: options and notes. */
  help: readonly string[]
  options: NonNullable<ParseArgsConfig['options']>
}

export type Command = Described & {
  /** Checks the arguments before anything is opened; throws a usage error. @returns the action, which gets a context */
  prepare: (positionals: readonly string[], values: Values) => (context: Context) => Promise<Result>
}

/** A command for any machine: it opens neither configuration nor Redis nor store, and writes what it says itself. */
export type CommandAlone = Described & {
  prepareAlone: (positionals: readonly string[], values: Values) => (say: (line: string) => void) => Promise<ExitCode>
}

/** An option that takes a value. */
export const text = { type: 'string' } as const
export const flag = { type: 'boolean' } as const

/** The value of a text option. */
export function textOf(values: Values, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}
