// What a link says of the session that asked for it, and ends with: names of people stand in no address.

import { createHmac } from 'node:crypto'
import { deriveKey, type Secrets } from '../core/derive-key.ts'
import type { Issued } from '../records/revocations.ts'

/** Whose session a link ends with. */
export type LinkSession = {
  owner: string
  submission: string
  /** Null: of a version before sessions had ids. */
  id: string | null
  revocations: number | null
  /** A mark of the person, which only who has the secret can tell. Null: no subject. */
  person: string | null
}

const MARK_BYTES = 16

/** What a link says of its session. */
export function linkSessionOf(issued: Issued, subject: string | null, secrets: Secrets): LinkSession {
  return {
    owner: issued.owner,
    submission: issued.submission,
    id: issued.session,
    revocations: issued.revocations,
    person: subject === null ? null : personMark(subject, secrets),
  }
}

/** A link as revocations see it. */
export function linkIssued({ owner, submission, id, revocations, person }: LinkSession, secrets: Secrets): Issued {
  const isOf = (subject: string) => person !== null && isMarkOf(person, subject, secrets)
  return { owner, submission, session: id, revocations, issuedAtMs: null, isOf }
}

/**
 * The mark of a person in a link.
 *
 * @internal
 */
export function personMark(subject: string, secrets: Secrets): string {
  return markBy(subject, secrets[0])
}

/**
 * Whether the mark is of this person, made with one of the secrets.
 *
 * @internal
 */
export function isMarkOf(mark: string, subject: string, secrets: Secrets): boolean {
  return secrets.some((secret) => markBy(subject, secret) === mark)
}

function markBy(subject: string, secret: string): string {
  const key = deriveKey(secret, 'songngan media link, version 1')
  return createHmac('sha256', key).update(`person ${subject}`).digest().subarray(0, MARK_BYTES).toString('base64url')
}
