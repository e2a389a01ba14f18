// After an outage: an operator moves the dates of many submissions at once. A portal that
// later sends its old deadline sets it back, so it must be informed.

import { type Clock, isoTime } from '../core/clock.ts'
import { objectKeys } from '../records/keys.ts'
import type { MadeUpFor, RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { type CompletenessDeps, refreshCompleteness } from './completeness.ts'

export type ExtensionFilter = {
  /** Name of a portal's API key. */
  owner?: string
  submissionId?: string
  /** With version, or without: all versions. */
  profile?: string
  /** Range of deadlines (milliseconds, inclusive). */
  dueFromMs?: number
  dueUntilMs?: number
}

/** New dates of a submission. */
export type MovedDates = {
  deadline: string
  /** The repair time of a returned submission. */
  repairUntil?: string
  /** The time of an outage that is given back. */
  madeUpFor?: Omit<MadeUpFor, 'at'>
}

/** What an operator asks for, under a name that is applied once to each submission. */
export type Move = {
  name: string
  /** New dates; undefined: this submission is not concerned; a word: why its dates stay as they are. */
  datesOf: (head: SubmissionHead & { deadline: string }) => MovedDates | 'already' | 'set since' | undefined
}

/** Everything that fits is moved by the same time, in milliseconds. */
export function moveBy(byMs: number, name: string): Move {
  return {
    name,
    datesOf(head) {
      const repairUntil = openRepair(head)?.repairUntil
      return {
        deadline: later(head.deadline, byMs),
        ...(repairUntil === undefined ? {} : { repairUntil: later(repairUntil, byMs) }),
      }
    },
  }
}

export type Extension = {
  owner: string
  submissionId: string
  profile: string
  deadline: string
  moved: string
  /** The repair time of a returned submission. */
  repairUntil?: string
  /** Already moved with this name. */
  already: boolean
  /** Not moved: its dates were set after the outage, by somebody who knew of it. */
  setSince?: true
}

export type FindDeps = { store: ObjectStore; heads: SubmissionHeads }

/** Matching open submissions with their new dates; read from the store, so that none is missed. */
export async function* findExtensions(deps: FindDeps, filter: ExtensionFilter, move: Move): AsyncGenerator<Extension> {
  for await (const { owner, id } of submissionsIn(deps.store, filter.owner)) {
    if (filter.submissionId !== undefined && id !== filter.submissionId) continue
    const head = await deps.heads.fromStore(owner, id)
    if (head === undefined || !fits(head, filter)) continue
    const extension = planned(head, move)
    if (extension !== undefined) yield extension
  }
}

/** Every submission in the store, or of one portal, once. */
async function* submissionsIn(
  store: ObjectStore,
  owner: string | undefined,
): AsyncGenerator<{ owner: string; id: string }> {
  const prefix = owner === undefined ? objectKeys.submissions : `${objectKeys.submissions}${owner}/`
  let last = ''
  for await (const { key } of store.list(prefix)) {
    const [, ownerOf = '', id = ''] = key.split('/')
    if (`${ownerOf}/${id}` === last) continue
    last = `${ownerOf}/${id}`
    yield { owner: ownerOf, id }
  }
}

function fits(
  head: SubmissionHead,
  { profile, dueFromMs, dueUntilMs }: ExtensionFilter,
): head is SubmissionHead & { deadline: string } {
  if (head.deadline === null || (head.state !== 'open' && head.state !== 'returned')) return false
  const dueMs = Date.parse(head.deadline)
  return (
    (profile === undefined || head.profile === profile || head.profile.startsWith(`${profile}@`)) &&
    (dueFromMs === undefined || dueMs >= dueFromMs) &&
    (dueUntilMs === undefined || dueMs <= dueUntilMs)
  )
}

function planned(head: SubmissionHead & { deadline: string }, move: Move): Extension | undefined {
  const { owner, id: submissionId, profile, deadline } = head
  const dates = head.extensions?.includes(move.name) === true ? 'already' : move.datesOf(head)
  if (dates === undefined) return undefined
  const told = { owner, submissionId, profile, deadline }
  if (dates === 'already') return { ...told, moved: deadline, already: true }
  if (dates === 'set since') return { ...told, moved: deadline, already: false, setSince: true }
  const { deadline: movedTo, repairUntil } = dates
  return { ...told, moved: movedTo, ...(repairUntil === undefined ? {} : { repairUntil }), already: false }
}

export type ExtendDeps = CompletenessDeps & { clock: Clock }

/**
 * Moves the dates of one submission, once per name. Files that were too late count
 * at once by the new date.
 *
 * @returns undefined: already moved with this name, or no longer open
 */
export async function extendDeadline(
  deps: ExtendDeps,
  { owner, submissionId }: Pick<Extension, 'owner' | 'submissionId'>,
  move: Move,
): Promise<SubmissionHead | undefined> {
  const { heads, clock } = deps
  const { record, committed } = await heads.commit(owner, submissionId, async (current) => {
    if (current === undefined || !fits(current, {}) || current.extensions?.includes(move.name)) return undefined
    const dates = move.datesOf(current)
    if (dates === undefined || typeof dates === 'string') return undefined
    const repair = openRepair(current)
    const { deadline, repairUntil, madeUpFor } = dates
    const now = isoTime(clock.now())
    return {
      ...current,
      datesSetAt: now,
      deadline,
      revisions: current.revisions.map((entry) =>
        entry === repair && repairUntil !== undefined ? { ...repair, repairUntil } : entry,
      ),
      extensions: [...(current.extensions ?? []), move.name],
      ...(madeUpFor === undefined ? {} : { madeUpFor: [...(current.madeUpFor ?? []), { ...madeUpFor, at: now }] }),
      event: null,
      sequence: await heads.nextSequence(owner, submissionId),
      updatedAt: now,
    }
  })
  // Also where an earlier command committed it and died before anybody heard of it.
  if (record?.extensions?.includes(move.name) !== true) return undefined
  await refreshCompleteness(deps, owner, submissionId)
  return committed ? record : undefined
}

/** The return whose time to repair holds now. */
export function openRepair(head: SubmissionHead): (RevisionRecord & { repairUntil: string }) | undefined {
  if (head.state !== 'returned') return undefined
  const entry = head.revisions.find(({ revision }) => revision === head.revision - 1)
  return entry?.repairUntil === undefined ? undefined : (entry as RevisionRecord & { repairUntil: string })
}

function later(time: string, byMs: number): string {
  return isoTime(Date.parse(time) + byMs)
}
