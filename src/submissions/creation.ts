// Decides whether an upload may be created, for tickets and for the tus POST.

import { isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { AppError, type ErrorCode } from '../core/errors.ts'
import { isSubmissionId } from '../core/ids.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { UploadView, UploadViews } from '../records/upload-views.ts'
import type { ProfileCatalogue } from './profiles/loader.ts'
import { findSlot, type Profile, type SlotRules } from './profiles/profile.ts'
import { mayRepair } from './repairs.ts'
import { type Declared, declaredProblem } from './rules/declared.ts'
import { type TicketLimits, ticketLimits } from './rules/limits.ts'
import { acceptedOccupant, beingReplaced, type SlotOccupancy, slotOccupancy } from './slot-occupancy.ts'

/** Whether there was an attempt in this slot before the deadline, even a refused one: the slot then has grace. */
export type CreationAttempts = {
  attemptedBy(owner: string, submissionId: string, slot: string, deadlineMs: number): Promise<boolean>
}

export type CreationDecisionDeps = {
  config: Pick<Config, 'uploads'>
  heads: SubmissionHeads
  views: UploadViews
  profiles: ProfileCatalogue
  attempts?: CreationAttempts
}

export type CreationRequest = {
  owner: string
  submissionId: string
  slot: string
  /** Upload to replace; null: none is named. */
  replaces: string | null
  /** The ticket's own limit, bytes. */
  maxBytes: number | null
  /** Null for tickets: nothing is declared yet. */
  declared: Declared | null
  /** When the ticket was issued; null: unknown, counts as after the deadline. */
  issuedAtMs: number | null
  nowMs: number
  /**
   * tus clients retry 409 for ever, so for them a full slot is 403.
   */
  via: 'ticket' | 'tus'
  /** Partials of a slot count once and declare no type; a final counts instead of its partials. */
  concat?: 'partial' | 'final'
}

export type CreationDecision = {
  head: SubmissionHead
  profile: Profile
  slot: SlotRules
  revision: number
  /** In a slot for one file: the accepted one, if none was named. */
  replaces: string | null
  /** For UploadDraft: maximum bytes and accepted kinds. */
  maxBytes: number
  kinds: string[]
  limits: TicketLimits
  /** Files that the slot still accepts, including this one. */
  filesLeft: number
  /** An unfinished upload of the same file exists: its bytes will be sent again. */
  restarts: boolean
  /** Allowed only by `repairUntil`: replaces a file that was rejected after the deadline. */
  repairs: boolean
}

/**
 * Decides on a creation.
 *
 * @throws SUBMISSION_UNKNOWN, SUBMISSION_DELETED, SUBMISSION_SEALED, PROFILE_UNKNOWN, SLOT_UNKNOWN, NOT_OPEN_YET
 * {opensAt}, DEADLINE_PASSED {deadline, graceSeconds}, REPLACES_UNKNOWN, SLOT_FULL {limit, occupants},
 * SLOT_UPLOADS_LIMIT, SUBMISSION_UPLOADS_LIMIT, SUPERSEDED_LIMIT {limit},
 * STORED_BYTES_LIMIT {limit, actual}, UPLOAD_EMPTY, UPLOAD_TOO_LARGE, UPLOAD_TYPE_NOT_ALLOWED
 */
export async function decideCreation(deps: CreationDecisionDeps, request: CreationRequest): Promise<CreationDecision> {
  const { owner, submissionId, nowMs } = request
  if (!isSubmissionId(submissionId)) throw new AppError('SUBMISSION_UNKNOWN')
  const head = await deps.heads.require(owner, submissionId)
  if (head.state === 'sealed') throw new AppError('SUBMISSION_SEALED')
  const { profile, slot } = slotOf(deps.profiles, head, request.slot)
  const { views, all } = await deps.views.ofSlot(owner, submissionId, slot.id)
  const places = slotOccupancy(views, slot, head, nowMs)
  // A ticket is also needed to resume an unfinished upload on a new page or device: a new creation is
  // refused at the POST because of the date.
  const resumes = request.via === 'ticket' && places.occupants.some(({ state }) => state === 'receiving')
  const repairs = resumes ? false : await checkDates(deps, request, head, places)
  if (!resumes && request.concat !== 'final') checkNumbers(deps.config.uploads, all, places)
  const replaces = replacedBy(request, slot, places)
  if (request.concat !== 'final') checkRoom(request, slot, places, replaces)
  const ownLimit = Math.min(request.maxBytes ?? Number.POSITIVE_INFINITY, deps.config.uploads.maxBytes)
  checkDeclared(request, slot, ownLimit)
  const limits = ticketLimits(slot, ownLimit)
  return {
    head,
    profile,
    slot,
    revision: head.revision,
    replaces,
    limits,
    repairs,
    maxBytes: limits.maxBytes,
    kinds: limits.kinds,
    filesLeft: Math.max(1, slot.max - places.taken),
    restarts: isUnderWay(views, request),
  }
}

/** Whether an unfinished upload with the same name and length has stored bytes in this slot. */
function isUnderWay(views: readonly UploadView[], { slot, declared, concat }: CreationRequest): boolean {
  if (declared === null || declared.bytes === null || concat !== undefined) return false
  return views.some(({ hot }) => {
    if (hot === undefined || hot.status !== 'receiving' || hot.offset === 0) return false
    const { draft } = hot
    const same = draft.declared.filename === declared.filename && draft.declared.bytes === declared.bytes
    return same && draft.slot === slot && draft.concat === null
  })
}

/** The pinned profile of a submission, and one of its slots. Throws PROFILE_UNKNOWN, SLOT_UNKNOWN. */
export function slotOf(
  profiles: ProfileCatalogue,
  head: SubmissionHead,
  slotId: string,
): { profile: Profile; slot: SlotRules } {
  const profile = profiles.get(head.profile)
  if (profile === undefined) throw new AppError('PROFILE_UNKNOWN', { details: { profile: head.profile } })
  const slot = findSlot(profile, slotId)
  if (slot === undefined) throw new AppError('SLOT_UNKNOWN', { details: { slot: slotId } })
  return { profile, slot }
}

/** True if only `repairUntil` allows it. */
async function checkDates(
  { attempts }: CreationDecisionDeps,
  request: CreationRequest,
  head: SubmissionHead,
  places: SlotOccupancy,
): Promise<boolean> {
  const { nowMs, issuedAtMs, owner, submissionId, slot } = request
  if (head.opensAt !== null && nowMs < Date.parse(head.opensAt))
    throw refusal('NOT_OPEN_YET', { opensAt: head.opensAt })
  if (head.deadline === null) return false
  const deadlineMs = Date.parse(head.deadline)
  if (nowMs <= deadlineMs) return false
  if (nowMs <= deadlineMs + head.graceSeconds * 1000) {
    if (issuedAtMs !== null && issuedAtMs <= deadlineMs) return false
    // An upload is also an attempt.
    if (places.begunBy(deadlineMs)) return false
    if ((await attempts?.attemptedBy(owner, submissionId, slot, deadlineMs)) === true) return false
  }
  if (mayRepair(head, slot, places.records, nowMs)) return true
  throw refusal('DEADLINE_PASSED', {
    deadline: head.deadline,
    graceSeconds: head.graceSeconds,
    now: isoTime(nowMs),
  })
}

function replacedBy({ replaces }: CreationRequest, slot: SlotRules, places: SlotOccupancy): string | null {
  if (replaces !== null && !places.ever.has(replaces)) throw refusal('REPLACES_UNKNOWN', { replaces })
  if (slot.max > 1 || places.occupants.some(({ id }) => id === replaces)) return replaces
  // Another file may have been accepted since the ticket: in a slot for one file, replace that one.
  return acceptedOccupant(places)?.id ?? replaces
}

function checkRoom(
  { via, concat }: CreationRequest,
  slot: SlotRules,
  places: SlotOccupancy,
  replaces: string | null,
): void {
  if (slot.max === 1) return
  if (concat === 'partial' && places.openPartials > 0) return
  const frees =
    places.occupants.some(({ id }) => id === replaces) && !beingReplaced(places.occupants).has(replaces ?? '')
  if (places.taken + (frees ? 0 : 1) <= slot.max) return
  throw new AppError('SLOT_FULL', {
    ...(via === 'tus' ? { status: 403 } : {}),
    details: { slot: slot.id, limit: slot.max, occupants: places.occupants.map(({ id }) => id) },
  })
}

/** A bound on programs that run wild: every reader of a submission pays for each of its uploads. */
function checkNumbers(limits: Config['uploads'], all: number, places: SlotOccupancy): void {
  const { unended, superseded, storedBytes } = places
  const { maxSupersededPerSlot, maxStoredBytesPerSlot } = limits
  if (maxStoredBytesPerSlot > 0 && storedBytes >= maxStoredBytesPerSlot)
    throw refusal('STORED_BYTES_LIMIT', { limit: maxStoredBytesPerSlot, actual: storedBytes })
  if (superseded >= maxSupersededPerSlot) throw refusal('SUPERSEDED_LIMIT', { limit: maxSupersededPerSlot })
  if (unended >= limits.maxPerSlot) throw refusal('SLOT_UPLOADS_LIMIT', { limit: limits.maxPerSlot })
  if (all >= limits.maxPerSubmission) throw refusal('SUBMISSION_UPLOADS_LIMIT', { limit: limits.maxPerSubmission })
}

function checkDeclared({ declared, concat }: CreationRequest, slot: SlotRules, ownLimit: number): void {
  if (declared === null) return
  // Name and type of a partial upload are not those of the file.
  const said = concat === 'partial' ? { ...declared, filename: null, type: null } : declared
  const problem = declaredProblem(slot, said, ownLimit)
  if (problem !== undefined) throw problem
}

function refusal(code: ErrorCode, details: Record<string, unknown>): AppError {
  return new AppError(code, { details })
}
