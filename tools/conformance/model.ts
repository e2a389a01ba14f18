// Types of the suite: sentences of the protocol, checks, results.
import type { Harness } from './harness.ts'

/**
 * The key word of the sentence. STATED: the text says it as a fact, or with a lower-case key word.
 * ROBUST: not in the text at all; reported in its own group and never counted as conformance.
 */
export type Level = 'MUST' | 'SHOULD' | 'MAY' | 'STATED' | 'ROBUST'

export type Extension =
  | 'creation'
  | 'creation-with-upload'
  | 'creation-defer-length'
  | 'expiration'
  | 'checksum'
  | 'checksum-trailer'
  | 'termination'
  | 'concatenation'
  | 'concatenation-unfinished'

/** Returns when the server did what the sentence says; throws Deviation, Skip or Blocked otherwise. */
export type Check = (t: Harness) => Promise<void>

/** One sentence of the protocol text with the checks that observe it, or the reason why none can. */
export interface Rule {
  readonly key: string
  readonly level: Level
  /** The sentence in other words. */
  readonly says: string
  readonly checks: Readonly<Record<string, Check>>
  /** Why nothing is tested, where `checks` is empty. */
  readonly untested?: string
  /** Extensions the checks need besides the section's own. */
  readonly needs?: readonly Extension[]
  /** Runs even when the section's extension is not announced (sentences about the announcement). */
  readonly always?: boolean
}

export interface Section {
  readonly key: string
  /** The heading of the protocol text, e.g. "Core protocol: PATCH". */
  readonly title: string
  readonly extension?: Extension
  readonly rules: readonly Rule[]
}

export type Outcome = 'pass' | 'fail' | 'skip' | 'not announced' | 'blocked'

export interface Result {
  readonly id: string
  readonly section: string
  readonly level: Level
  readonly rule: string
  readonly check: string
  readonly outcome: Outcome
  readonly elapsedMs: number
  /** Measured details, also when the check passes. */
  readonly notes: readonly string[]
  readonly request?: string
  readonly expected?: string
  readonly got?: string
}

/** The server did something else than the sentence says. */
export class Deviation extends Error {
  override readonly name = 'Deviation'
  readonly expected: string
  readonly got: string
  readonly request: string | undefined
  constructor(expected: string, got: string, request?: string) {
    super(`expected ${expected}, got ${got}`)
    this.expected = expected
    this.got = got
    this.request = request
  }
}

/** The check does not apply to this server, e.g. it names no maximum size. */
export class Skip extends Error {
  override readonly name = 'Skip'
}

/** The check could not begin: a step before it failed; another check covers that step. */
export class Blocked extends Error {
  override readonly name = 'Blocked'
  readonly request: string | undefined
  readonly got: string
  constructor(step: string, got: string, request?: string) {
    super(step)
    this.got = got
    this.request = request
  }
}

type RuleExtras = { needs?: readonly Extension[]; always?: boolean }

/** A sentence with checks. */
export function rule(
  level: Level,
  key: string,
  says: string,
  checks: Readonly<Record<string, Check>>,
  extras: RuleExtras = {},
): Rule {
  return { level, key, says, checks, ...extras }
}

/** A sentence that cannot be observed in requests and responses, or that binds only the client. */
export function untested(level: Level, key: string, says: string, reason: string): Rule {
  return { level, key, says, checks: {}, untested: reason }
}
