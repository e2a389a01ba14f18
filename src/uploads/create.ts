// Creates an upload: all checks, in the order in which callers should get the errors, then the registration.

import { Metadata } from '@tus/server'
import type { Ticket } from '../auth/tokens.ts'
import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { newToken, newUploadId } from '../core/ids.ts'
import { traceIn } from '../core/trace-context.ts'
import { personName } from '../records/person.ts'
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
  /** Set if an unfinished upload with the same fingerprint is resumed: its offset. */
  joinedOffset?: number
  /** An unfinished upload of the same file has stored bytes in this slot: they are sent again. */
  restarts?: boolean
  /** Rules of its slot; absent outside of submissions. */
  slot?: SlotRules
  /** The lock, if the body comes with the creation. */
  held?: Held
}

/** Owner of uploads with AUTH=none. */
export const NO_OWNER = 'anonymous'

/** Checks a POST and drafts its upload; writes nothing. Throws the refusal. */
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
    ...traceIn(request.trace),
  }
  if (ticket === null) {
    if (size !== null && size > config.uploads.maxBytes)
      throw new AppError('UPLOAD_TOO_LARGE', { details: { limit: config.uploads.maxBytes, actual: size } })
    await admission.check(size ?? 0)
    const id = newUploadId(NO_OWNER, null, config.secrets.uploadId, deps.keyDerivation.active)
    const nowhere = { submissionId: null, slot: null, revision: 0, subject: null, replaces: null }
    const draft = { ...common, ...nowhere, id, owner: NO_OWNER, maxBytes: config.uploads.maxBytes, kinds: [] }
    return { draft, size, fingerprintKey: undefined, expiresAtMs }
  }
  const fingerprintKey =
    common.fingerprint === null || concat !== null
      ? undefined
      : deps.hot.keys.fingerprint(ticket.owner, ticket.submission, ticket.slot, String(size ?? ''), common.fingerprint)
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
  const [{ decision, slot, restarts }] = await Promise.all([
    placeTicket(deps, ticket, declared, concat?.kind),
    deps.rates.check('creation', who),
    deps.personLimits.check(who, size ?? 0),
  ])
  await admission.check(size ?? 0)
  const draft: UploadDraft = {
    ...common,
    id: newUploadId(ticket.owner, ticket.submission, config.secrets.uploadId, deps.keyDerivation.active),
    owner: ticket.owner,
    submissionId: ticket.submission,
    slot: ticket.slot,
    subject: ticket.subject,
    ...personIn(deps, ticket),
    ...decision,
  }
  return { draft, size, fingerprintKey, expiresAtMs, slot, restarts }
}

/** Who uploads, for workers: they count by person and have no key to hash a name with. */
export function personIn({ personalHash }: UploadDeps, ticket: Ticket | null): Pick<UploadDraft, 'person'> {
  if (ticket === null || ticket.subject === null) return {}
  return { person: personName(personalHash, { ...ticket, submissionId: ticket.submission }) }
}

/**
 * The unfinished upload with the same fingerprint. It exists, so the reasons to refuse a new one (a full
 * slot, overload) do not apply. Its current offset comes from the request that is receiving it.
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
    // It has ended meanwhile: a new one is created.
    if (error instanceof AppError && error.status < 500) return undefined
    throw error
  })
  return seen !== undefined && 'state' in seen && seen.state.status === 'receiving' ? seen.state : undefined
}

/** Checks a new upload against the submission of the ticket. Throws the refusal. */
export async function placeTicket(
  deps: UploadDeps,
  ticket: Ticket,
  declared: UploadDraft['declared'],
  concat?: 'partial' | 'final',
  nowMs = deps.clock.now(),
): Promise<{
  decision: Pick<UploadDraft, 'revision' | 'replaces' | 'maxBytes' | 'kinds'>
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
  return { decision: { revision, replaces, kinds, maxBytes: atMost }, slot, restarts }
}

/** The original header, if it cannot be rebuilt from the parsed values (not UTF-8). */
function rawMetadata(request: TusRequest, metadata: Record<string, string | null>): { rawMetadata?: string } {
  const raw = request.headers.metadata
  return raw === null || raw === '' || Metadata.stringify(metadata) === raw ? {} : { rawMetadata: raw }
}

/** Registers the upload, or resumes the unfinished one with the same fingerprint. Resolves with its id. */
export async function register(deps: UploadDeps, creation: Creation, bringsBytes: boolean): Promise<string> {
  const { hot, uploadStore, metrics, locks, peers } = deps
  const { draft, size, fingerprintKey, expiresAtMs } = creation
  if (creation.joinedOffset !== undefined) return draft.id
  const partBytes = uploadStore.partBytes(size, draft.maxBytes)
  // A creation with body needs the lock: taken in the same script.
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
    if (creation.restarts === true) metrics.uploadRestarts.inc()
    if (lock !== undefined)
      creation.held = {
        state: newUploadSession(draft, { size, expiresAtMs, partBytes, holder: lock }),
        fence: lock.fence,
      }
    return draft.id
  }
  // The response has that upload's Location and its current offset, from the request that is receiving it.
  const seen = await locks.getStatus(joined)
  creation.joinedOffset = 'state' in seen ? seen.state.offset : seen.record.receivedBytes
  return joined
}
