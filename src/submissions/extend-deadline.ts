// After an outage: the dates of many submissions moved at once, by an operator instead of by each portal. A portal that
// says its own deadline again afterwards is believed, so it has to be told.

import { type Clock, isoTime } from '../core/clock.ts'
import { objectKeys } from '../records/keys.ts'
import type { RevisionRecord, SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import { type CompletenessParts, refreshCompleteness } from './completeness.ts'

export type ExtensionFilter = {
  /** Name of a portal's API key. */
  owner?: string
  submissionId?: string
  /** With its version, or without: all of them. */
  profile?: string
  /** Deadlines from then on, until then (milliseconds, both included). */
  dueFromMs?: number
  dueUntilMs?: number
}

export type Extension = {
  owner: string
  submissionId: string
  profile: string
  deadline: string
  moved: string
  /** Of a returned submission that has time for repair. */
  repairUntil?: string
  /** It was moved under the same name before. */
  already: boolean
}

export type FindDeps = { store: ObjectStore; heads: SubmissionHeads }

/** Open submissions that fit, as they would be moved; asked of the store, so that none is missed. */
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

/** Every submission of the store, or of one portal, once. */
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

export type ExtendDeps = CompletenessParts & { clock: Clock }

/**
 * Moves the dates of one submission, once for each name, whoever says it how often. What was stored late meanwhile counts
 * by the new date at once.
 *
 * @returns undefined: it was moved under this name before, or is not open any more
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
    return {
      ...current,
      deadline: later(current.deadline ?? '', byMs),
      revisions: current.revisions.map((entry) =>
        entry === repair ? { ...repair, repairUntil: later(repair.repairUntil, byMs) } : entry,
      ),
      extensions: [...(current.extensions ?? []), name],
      event: null,
      sequence: await heads.nextSequence(owner, submissionId),
      updatedAt: isoTime(clock.now()),
    }
  })
  if (!committed || record === undefined) return undefined
  await refreshCompleteness(deps, owner, submissionId)
  return record
}

/** The time for repair that a returned submission was given. */
function openRepair(head: SubmissionHead): (RevisionRecord & { repairUntil: string }) | undefined {
  if (head.state !== 'returned') return undefined
  const entry = head.revisions.find(({ revision }) => revision === head.revision - 1)
  return entry?.repairUntil === undefined ? undefined : (entry as RevisionRecord & { repairUntil: string })
}

function later(time: string, byMs: number): string {
  return isoTime(Date.parse(time) + byMs)
}
