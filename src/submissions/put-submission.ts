// PUT of a submission: replaces all data of the portal. Repeating it changes nothing.

import { isDeepStrictEqual } from 'node:util'
import { isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { requireVersion } from '../http/conditional.ts'
import { badRequest, type RequestError } from '../http/errors.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import { callbackUrlError } from './callback-url.ts'
import { type CompletenessDeps, refreshCompleteness } from './completeness.ts'
import { type LoadedSubmission, loadSubmission } from './documents.ts'
import type { ProfileCatalogue } from './profiles/loader.ts'
import { type RejudgeDeps, rejudge } from './rejudge.ts'
import type { UniqueKeys } from './unique-keys.ts'

export type PutDeps = CompletenessDeps & RejudgeDeps & { config: Pick<Config, 'webhooks'>; uniqueKeys: UniqueKeys }

export type SubmissionBody = {
  profile: string
  opensAt?: string | null
  deadline?: string | null
  graceSeconds?: number
  sealAtDeadline?: boolean
  uniqueKey?: string | null
  person?: string | null
  callbackUrl?: string | null
  metadata?: Record<string, unknown>
}

/** The members of a head that the portal sets. */
type Said = Pick<
  SubmissionHead,
  | 'profile'
  | 'opensAt'
  | 'deadline'
  | 'graceSeconds'
  | 'sealAtDeadline'
  | 'uniqueKey'
  | 'person'
  | 'callbackUrl'
  | 'metadata'
>

/**
 * Creates or updates a submission. Missing members of the body get their default.
 *
 * @param expected version of the head; see `expectedVersion`
 * @throws BAD_REQUEST, PRECONDITION_FAILED, CALLBACK_UNSIGNED, PROFILE_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_SEALED (409), SUBMISSION_DUPLICATE {existingId}
 */
export async function putSubmission(
  deps: PutDeps,
  owner: string,
  id: string,
  body: SubmissionBody,
  expected?: number,
): Promise<{ loaded: LoadedSubmission; created: boolean }> {
  const { heads, uniqueKeys } = deps
  const before = await presentHead(heads, owner, id)
  requireVersion(before, expected)
  refuseFixed(before)
  const said = saidBy(deps, body, before)
  const newKey = said.uniqueKey !== before?.uniqueKey ? said.uniqueKey : null
  const newProfile = before !== undefined && before.profile !== said.profile
  if (newKey !== null) await uniqueKeys.reserve(owner, newKey, id)
  // Before and after the commit: if the portal repeats a failed PUT, the profile change is still pending.
  if (newProfile) await rejudge(deps, before, deps.profiles.pin(said.profile))
  const { record: head, committed } = await heads
    .commit(owner, id, async (current) => {
      requireVersion(current, expected)
      refuseFixed(current)
      if (current !== undefined && isDeepStrictEqual(saidIn(current), said)) return undefined
      if (newKey !== null) await uniqueKeys.confirm(owner, newKey, id)
      return await nextHead(deps, owner, id, current, said)
    })
    .catch(async (error: unknown) => {
      if (newKey !== null && error instanceof AppError && error.status < 500)
        await uniqueKeys.release(owner, newKey, id)
      throw error
    })
  if (head === undefined) throw new Error(`${id}: could be neither found nor created`)
  if (before !== undefined && before.uniqueKey !== null && before.uniqueKey !== head.uniqueKey)
    await uniqueKeys.release(owner, before.uniqueKey, id)
  if (newProfile) await rejudge(deps, head, deps.profiles.pin(said.profile))
  const loaded = (await refreshCompleteness(deps, owner, id)) ?? (await loadSubmission(deps, owner, id))
  return { loaded, created: committed && head.version === 1 }
}

/**
 * The head from the store. During an outage the last version may not have been applied to Redis: it is applied now,
 * or a repeated PUT would find "nothing changed" while others still read the old version.
 */
async function presentHead(heads: SubmissionHeads, owner: string, id: string): Promise<SubmissionHead | undefined> {
  const [cached, stored] = await Promise.all([heads.latest(owner, id), heads.fromStore(owner, id)])
  if (stored !== undefined && stored.version !== cached?.version) await heads.announce(stored)
  return stored
}

function refuseFixed(head: SubmissionHead | undefined): void {
  if (head?.state === 'deleted') throw new AppError('SUBMISSION_DELETED')
  if (head?.state === 'sealed') throw new AppError('SUBMISSION_SEALED', { status: 409 })
}

function saidBy(deps: PutDeps, body: SubmissionBody, before: SubmissionHead | undefined): Said {
  const errors: RequestError[] = []
  const error = (member: string, message: string) => void errors.push({ in: 'body', path: `/${member}`, message })
  const time = (member: 'opensAt' | 'deadline') => {
    const ms = body[member] == null ? null : Date.parse(body[member])
    if (ms === null || !Number.isNaN(ms)) return ms
    error(member, 'must be a date and time as in RFC 3339')
    return null
  }
  const opensAtMs = time('opensAt')
  const deadlineMs = time('deadline')
  if (opensAtMs !== null && deadlineMs !== null && opensAtMs >= deadlineMs) error('deadline', 'must be after opensAt')
  const callbackUrl = body.callbackUrl ?? null
  const wrong = callbackUrl === null ? undefined : callbackUrlError(callbackUrl, deps.config.webhooks)
  if (wrong !== undefined) error('callbackUrl', wrong)
  if (errors.length > 0) throw badRequest(...errors)
  // Without a secret webhooks would never be sent: refuse it now.
  if (callbackUrl !== null && deps.config.webhooks.secrets.length === 0) throw new AppError('CALLBACK_UNSIGNED')
  const profile = pinnedProfile(deps.profiles, body.profile, before?.profile)
  return {
    profile,
    opensAt: opensAtMs === null ? null : isoTime(opensAtMs),
    deadline: deadlineMs === null ? null : isoTime(deadlineMs),
    graceSeconds: body.graceSeconds ?? 0,
    sealAtDeadline: body.sealAtDeadline ?? deps.profiles.get(profile)?.sealAtDeadline ?? false,
    uniqueKey: body.uniqueKey ?? null,
    person: body.person ?? null,
    callbackUrl,
    metadata: body.metadata ?? {},
  }
}

/**
 * The version that a submission pins. Without a version in the body the pinned one stays: a newer
 * version must not change a submission that nobody touched.
 */
function pinnedProfile(profiles: ProfileCatalogue, named: string, pinned: string | undefined): string {
  if (pinned !== undefined && (named === pinned || pinned.startsWith(`${named}@`))) return pinned
  return profiles.pin(named).key
}

function saidIn(head: SubmissionHead): Said {
  const { profile, opensAt, deadline, graceSeconds, sealAtDeadline = false } = head
  const { uniqueKey, person = null, callbackUrl, metadata } = head
  return { profile, opensAt, deadline, graceSeconds, sealAtDeadline, uniqueKey, person, callbackUrl, metadata }
}

function isMoved(head: SubmissionHead, { deadline, graceSeconds }: Said): boolean {
  return head.deadline !== deadline || head.graceSeconds !== graceSeconds
}

async function nextHead(
  { clock, heads }: PutDeps,
  owner: string,
  id: string,
  current: SubmissionHead | undefined,
  said: Said,
) {
  const now = isoTime(clock.now())
  if (current !== undefined)
    return {
      ...current,
      ...said,
      ...(isMoved(current, said) ? { datesSetAt: now } : {}),
      event: null,
      sequence: await heads.nextSequence(owner, id),
      updatedAt: now,
    }
  return {
    ...said,
    schema: 1 as const,
    owner,
    id,
    slotMetadata: {},
    state: 'open' as const,
    revision: 1,
    revisions: [],
    sequence: 1,
    event: null,
    createdAt: now,
    updatedAt: now,
  }
}
