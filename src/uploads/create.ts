// A new upload: what may refuse it, in the order in which the caller should hear of it, then its registration.

import { Metadata } from '@tus/server'
import type { Ticket } from '../auth/tokens.ts'
import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { newToken, newUploadId } from '../core/ids.ts'
import { redisKeys } from '../records/keys.ts'
import { newUploadSession, type UploadDraft, type UploadSession } from '../records/upload-session.ts'
import { decideCreation } from '../submissions/creation.ts'
import type { SlotRules } from '../submissions/profiles/profile.ts'
import type { Held } from './lock.ts'
import { parseMetadata } from './metadata.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

export type Creation = {
  draft: UploadDraft
  /** Bytes; null: deferred. */
  size: number | null
  fingerprintKey: string | undefined
  expiresAtMs: number
  /** Set when an unfinished upload of the same fingerprint was joined: where that one stands. */
  joinedOffset?: number
  /** The same file is unfinished in this slot, with bytes of it stored: they are sent once more. */
  restarts?: boolean
  /** What its place takes; absent outside of submissions. */
  slot?: SlotRules
  /** The lock of a new upload whose body comes with its creation. */
  held?: Held
}

/** Uploads of AUTH=none belong to nobody. */
export const NO_OWNER = 'anonymous'

/** Checks a POST and drafts its upload; nothing is written. Throws what refuses it. */
export async function validateCreation(deps: UploadDeps, request: TusRequest): Promise<Creation> {
  const { config, clock, admission } = deps
  const metadata = parseMetadata(request)
  const length = request.headers.get('upload-length')
  const size = length === null ? null : Number(length)
  const declared = {
    filename: metadata['filename'] ?? metadata['name'] ?? null,
    type: metadata['filetype'] ?? metadata['type'] ?? null,
    bytes: size,
  }
  const concat = request.headers.get('upload-concat') === 'partial' ? ({ kind: 'partial' } as const) : null
  const { ticket } = request
  const expiresAtMs = clock.now() + config.uploads.expiryMs
  const common = {
    declared,
    metadata,
    ...rawMetadata(request, metadata),
    fingerprint: metadata['fingerprint'] || null,
    concat,
    createdAt: isoTime(clock.now()),
  }
  if (ticket === null) {
    if (size !== null && size > config.uploads.maxBytes)
      throw new AppError('UPLOAD_TOO_LARGE', { details: { limit: config.uploads.maxBytes, actual: size } })
    await admission.check(size ?? 0)
    const id = newUploadId(NO_OWNER, null, config.secrets)
    const nowhere = { submissionId: null, slot: null, revision: 0, subject: null, replaces: null }
    const draft = { ...common, ...nowhere, id, owner: NO_OWNER, maxBytes: config.uploads.maxBytes, kinds: [] }
    return { draft, size, fingerprintKey: undefined, expiresAtMs }
  }
  const fingerprintKey =
    common.fingerprint === null || concat !== null
      ? undefined
      : redisKeys.fingerprint(ticket.owner, ticket.submission, ticket.slot, String(size ?? ''), common.fingerprint)
  const joined = fingerprintKey === undefined ? undefined : await findUnfinished(deps, ticket, fingerprintKey)
  if (joined !== undefined)
    return {
      draft: joined.draft,
      size,
      fingerprintKey,
      expiresAtMs: joined.expiresAtMs,
      joinedOffset: joined.offset,
    }
  const { owner, submission, subject } = ticket
  const who = { owner, submissionId: submission, subject }
  // Questions that do not need each other's answers: one wait for all.
  const [{ placement, slot, restarts }] = await Promise.all([
    placeTicket(deps, ticket, declared, concat?.kind),
    deps.rates.check('creation', who),
    deps.personLimits.check(who, size ?? 0),
  ])
  await admission.check(size ?? 0)
  const draft: UploadDraft = {
    ...common,
    id: newUploadId(ticket.owner, ticket.submission, config.secrets),
    owner: ticket.owner,
    submissionId: ticket.submission,
    slot: ticket.slot,
    subject: ticket.subject,
    ...placement,
  }
  return { draft, size, fingerprintKey, expiresAtMs, slot, restarts }
}

/**
 * The unfinished upload that holds a fingerprint: it was created before, so nothing that would refuse a new one, a full
 * slot or a crowd, is asked again. Its true offset comes from whoever is receiving it.
 */
async function findUnfinished(
  { heads, hot, locks }: UploadDeps,
  ticket: Ticket,
  fingerprintKey: string,
): Promise<UploadSession | undefined> {
  await heads.ensureCurrent(ticket.owner, ticket.submission)
  const id = await hot.holderOfFingerprint(fingerprintKey)
  if (id === undefined) return undefined
  const seen = await locks.getStatus(id).catch((error: unknown) => {
    // It has ended meanwhile: a new one is made.
    if (error instanceof AppError && error.status < 500) return undefined
    throw error
  })
  return seen !== undefined && 'state' in seen && seen.state.status === 'receiving' ? seen.state : undefined
}

/** What the ticket's place says of a new upload. Throws what refuses it there. */
export async function placeTicket(
  deps: UploadDeps,
  ticket: Ticket,
  declared: UploadDraft['declared'],
  concat?: 'partial' | 'final',
  nowMs = deps.clock.now(),
): Promise<{
  placement: Pick<UploadDraft, 'revision' | 'replaces' | 'maxBytes' | 'kinds'>
  slot: SlotRules
  restarts: boolean
}> {
  const { revision, replaces, maxBytes, kinds, slot, restarts } = await decideCreation(deps, {
    owner: ticket.owner,
    submissionId: ticket.submission,
    slot: ticket.slot,
    replaces: ticket.replaces,
    maxBytes: ticket.maxBytes,
    declared,
    issuedAtMs: ticket.issuedAtMs,
    nowMs,
    via: 'tus',
    ...(concat === undefined ? {} : { concat }),
  })
  const atMost = Math.min(maxBytes, deps.config.uploads.maxBytes)
  return { placement: { revision, replaces, kinds, maxBytes: atMost }, slot, restarts }
}

/** The header as it came, where writing the parsed values again would not give it back (bytes that are no UTF-8). */
function rawMetadata(request: TusRequest, metadata: Record<string, string | null>): { rawMetadata?: string } {
  const raw = request.headers.metadata
  return raw === null || raw === '' || Metadata.stringify(metadata) === raw ? {} : { rawMetadata: raw }
}

/** Registers the upload, or joins the unfinished one that holds its fingerprint. Resolves with the id that answers. */
export async function register(deps: UploadDeps, creation: Creation, bringsBytes: boolean): Promise<string> {
  const { hot, uploadStore, metrics, locks, peers } = deps
  const { draft, size, fingerprintKey, expiresAtMs } = creation
  if (creation.joinedOffset !== undefined) return draft.id
  const partBytes = uploadStore.partBytes(size, draft.maxBytes)
  // A body that is on its way needs the lock: taken in the same step.
  const lock = bringsBytes ? { fence: newToken(), channel: peers.channel } : undefined
  faultPoint('create.before-hot')
  const { joined } = await hot.create(draft, {
    size,
    expiresAtMs,
    partBytes,
    ...(lock === undefined ? {} : { lock }),
    ...(fingerprintKey === undefined ? {} : { fingerprintKey }),
  })
  faultPoint('create.after-hot')
  if (joined === null) {
    metrics.uploadsCreated.inc()
    const { owner, submissionId, subject } = draft
    if (submissionId !== null) await deps.personLimits.add({ owner, submissionId, subject }, draft.id, deps.clock.now())
    if (creation.restarts === true) metrics.uploadRestarts.inc()
    if (lock !== undefined)
      creation.held = {
        state: newUploadSession(draft, { size, expiresAtMs, partBytes, holder: lock }),
        fence: lock.fence,
      }
    return draft.id
  }
  // "201 with that upload's Location and true Upload-Offset": asked of whoever is receiving it.
  const seen = await locks.getStatus(joined)
  creation.joinedOffset = 'state' in seen ? seen.state.offset : seen.record.receivedBytes
  return joined
}
