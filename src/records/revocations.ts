// What a portal revoked for a submission: single sessions, all of a person, or all. It stands in the submission's head, so
// that it outlives Redis. What is issued carries how many revocations there were by then: no clock is compared.

import { AppError } from '../core/errors.ts'

/** Everything that was issued before is void. */
export type RevocationLine = {
  /** How many revocations there were with this one. */
  count: number
  /** RFC 3339. For what carries no count: tickets that a portal signs, and tokens of earlier versions. */
  at: string
}

export type RevocationList = {
  count: number
  /** For everybody. */
  all?: RevocationLine
  persons: (RevocationLine & { subject: string })[]
  sessions: { id: string; at: string }[]
}

/** What to revoke: one session, everything of a person, or everything, each with what it issued. */
export type Revocation = { session: string } | { subject: string } | 'all'

/** What can be revoked: a session, a ticket, a link. */
export type Issued = {
  owner: string
  submission: string
  /** Id of the session, its own or the one that asked for it; null: none. */
  session: string | null
  /** Number of revocations by then; null: its issuer did not know. */
  revocations: number | null
  issuedAtMs: number | null
  /** Whether it was given to this person. */
  isOf: (subject: string) => boolean
}

/** Longer than anything lives: seven days, and an upload that goes on. */
const KEPT_MS = 30 * 86_400_000
/** Of sessions, and of persons. Each version of the head has them. */
const MAX_LISTED = 200

const NOTHING: RevocationList = { count: 0, persons: [], sessions: [] }

/** How many revocations a submission has: what is issued now carries it. */
export function revocationsOf({ revocations }: { revocations?: RevocationList }): number {
  return revocations?.count ?? 0
}

/** Whether it was revoked. */
export function isRevoked(issued: Issued, list: RevocationList | undefined): boolean {
  if (list === undefined) return false
  const isBefore = (line: RevocationLine) =>
    issued.revocations === null
      ? issued.issuedAtMs === null || issued.issuedAtMs <= Date.parse(line.at)
      : issued.revocations < line.count
  return (
    (list.all !== undefined && isBefore(list.all)) ||
    list.persons.some((line) => isBefore(line) && issued.isOf(line.subject)) ||
    list.sessions.some(({ id }) => id === issued.session)
  )
}

/** The list with one more. Throws REVOCATIONS_LIMIT. */
export function withRevocation(before: RevocationList | undefined, what: Revocation, at: string): RevocationList {
  const list = before ?? NOTHING
  const line = { count: list.count + 1, at }
  // Nothing that was issued earlier is left to tell apart.
  if (what === 'all') return { count: line.count, all: line, persons: [], sessions: [] }
  const isKept = (entry: { at: string }) => Date.parse(entry.at) > Date.parse(at) - KEPT_MS
  const persons = list.persons.filter(isKept)
  const sessions = list.sessions.filter(isKept)
  const next =
    'session' in what
      ? { ...list, persons, sessions: [...sessions.filter(({ id }) => id !== what.session), { id: what.session, at }] }
      : {
          ...list,
          count: line.count,
          sessions,
          persons: [...persons.filter(({ subject }) => subject !== what.subject), { subject: what.subject, ...line }],
        }
  if (next.sessions.length > MAX_LISTED || next.persons.length > MAX_LISTED)
    throw new AppError('REVOCATIONS_LIMIT', { details: { limit: MAX_LISTED } })
  return next
}
