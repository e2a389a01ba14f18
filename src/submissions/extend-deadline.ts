// After an outage: an operator moves the dates of many submissions at once. A portal that
// later sends its old deadline sets it back, so it must be informed.

import { type Clock, isoTime } from '../core/clock.ts'
import { objectKeys } from '../records/keys.ts'
import type { RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
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
}

export type FindDeps = { store: ObjectStore; heads: SubmissionHeads }

/** Matching open submissions with their new dates; read from the store, so that none is missed. */
export async function* findExtensions(
  deps: FindDeps,
  filter: ExtensionFilter,
  byMs: number,
  name: string,
): AsyncGenerator<Extension> {
  for await (const { owner, id } of submissionsIn(deps.store, filter.owner)) {
    if (filter.submissionId !== undefined && id !== filter.submissionId) continue
    const head = await deps.heads.fromStore(owner, id)
    if (head === undefined || !fits(head, filter)) continue
    yield planned(head, byMs, name)
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

function fits(head: SubmissionHead, { profile, dueFromMs, dueUntilMs }: ExtensionFilter): boolean {
  if (head.deadline === null || (head.state !== 'open' && head.state !== 'returned')) return false
  const dueMs = Date.parse(head.deadline)
  return (
    (profile === undefined || head.profile === profile || head.profile.startsWith(`${profile}@`)) &&
    (dueFromMs === undefined || dueMs >= dueFromMs) &&
    (dueUntilMs === undefined || dueMs <= dueUntilMs)
  )
}

function planned(head: SubmissionHead, byMs: number, name: string): Extension {
  const repairUntil = openRepair(head)?.repairUntil
  return {
    owner: head.owner,
    submissionId: head.id,
    profile: head.profile,
    deadline: head.deadline ?? '',
    moved: later(head.deadline ?? '', byMs),
    ...(repairUntil === undefined ? {} : { repairUntil: later(repairUntil, byMs) }),
    already: head.extensions?.includes(name) ?? false,
  }
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
  byMs: number,
  name: string,
): Promise<SubmissionHead | undefined> {
  const { heads, clock } = deps
  const { record, committed } = await heads.commit(owner, submissionId, async (current) => {
    if (current === undefined || !fits(current, {}) || current.extensions?.includes(name)) return undefined
    const repair = openRepair(current)
    const now = isoTime(clock.now())
    return {
      ...current,
      datesSetAt: now,
      deadline: later(current.deadline ?? '', byMs),
      revisions: current.revisions.map((entry) =>
        entry === repair ? { ...repair, repairUntil: later(repair.repairUntil, byMs) } : entry,
      ),
      extensions: [...(current.extensions ?? []), name],
      event: null,
      sequence: await heads.nextSequence(owner, submissionId),
      updatedAt: now,
    }
  })
  if (!committed || record === undefined) return undefined
  await refreshCompleteness(deps, owner, submissionId)
  return record
}

/** The repair time of a returned submission. */
function openRepair(head: SubmissionHead): (RevisionRecord & { repairUntil: string }) | undefined {
  if (head.state !== 'returned') return undefined
  const entry = head.revisions.find(({ revision }) => revision === head.revision - 1)
  return entry?.repairUntil === undefined ? undefined : (entry as RevisionRecord & { repairUntil: string })
}

function later(time: string, byMs: number): string {
  return isoTime(Date.parse(time) + byMs)
}
