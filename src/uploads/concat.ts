// tus concatenation: joins partial uploads of one slot into a final upload.
// The final POST responds when the record that lists its partials is durable; joining the bytes is
// done by completion. It counts like a creation: the time of this request counts.

import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { isUploadId, newUploadId } from '../core/ids.ts'
import { traceIn } from '../core/trace-context.ts'
import { STORED_KEEP_MS } from '../lifecycle/completion.ts'
import { takenByFinal } from '../lifecycle/transitions.ts'
import { objectKeys } from '../records/keys.ts'
import { isStored, type StoredPart, type UploadRecord } from '../records/upload-record.ts'
import type { UploadDraft } from '../records/upload-session.ts'
import { NO_OWNER, personIn, placeTicket } from './create.ts'
import { measureFinished } from './finish.ts'
import { parseMetadata } from './metadata.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

export const isFinalConcat = (header: string | null): boolean => header?.startsWith('final') === true

const MAX_PARTIALS = 200

/**
 * Handles `POST` with `Upload-Concat: final;…`. Resolves with the new upload's id.
 *
 * @throws CONCAT_INVALID (a partial is unknown, unfinished, of another slot, or no partial), UPLOAD_TOO_LARGE,
 * and what validateCreation throws
 */
export async function createFinal(deps: UploadDeps, request: TusRequest): Promise<string> {
  const { hot, completion, clock, config, metrics } = deps
  const header = request.headers.get('upload-concat') ?? ''
  // "The Client MUST NOT include the Upload-Length header in the final upload creation."
  if (request.headers.has('upload-length')) throw new AppError('CONCAT_INVALID')
  const metadata = parseMetadata(request)
  const partials = await readPartials(deps, request, header)
  const begun = await begunFinal(deps, partials)
  if (begun?.record !== undefined) {
    completion.runLater(begun.id)
    return begun.id
  }
  const bytes = partials.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
  const { ticket } = request
  // The time and the dates of this request count, or of an earlier one that died.
  const storedAtMs = begun?.atMs ?? clock.now()
  const decision =
    ticket === null
      ? { revision: 0, replaces: null, maxBytes: config.uploads.maxBytes, kinds: [] }
      : (await placeTicket(deps, ticket, { filename: null, type: null, bytes }, 'final', storedAtMs)).decision
  if (bytes > decision.maxBytes)
    throw new AppError('UPLOAD_TOO_LARGE', { details: { limit: decision.maxBytes, actual: bytes } })
  const owner = ticket?.owner ?? NO_OWNER
  const id =
    begun?.id ?? newUploadId(owner, ticket?.submission ?? null, config.secrets.uploadId, deps.keyDerivation.active)
  const draft: UploadDraft = {
    id,
    owner,
    metadata,
    submissionId: ticket?.submission ?? null,
    slot: ticket?.slot ?? null,
    subject: ticket?.subject ?? null,
    ...personIn(deps, ticket),
    declared: {
      filename: metadata['filename'] ?? metadata['name'] ?? null,
      type: metadata['filetype'] ?? metadata['type'] ?? null,
      bytes,
    },
    fingerprint: null,
    concat: { kind: 'final', partials: partials.map((partial) => partial.id), header },
    createdAt: isoTime(clock.now()),
    ...traceIn(request.trace),
    ...decision,
  }
  // Another request with the same partials was faster: continue its final upload.
  if (!(await claimPartials(deps, partials, id))) return await createFinal(deps, request)
  await hot.create(draft, { size: bytes, expiresAtMs: clock.now() + config.uploads.expiryMs, partBytes: 0 })
  metrics.uploadsCreated.inc()
  faultPoint('concat.after-hot')
  const object = { key: objectKeys.data(id), parts: piecesOf(partials) }
  const record = await completion.commitStored(draft, object, bytes, storedAtMs)
  faultPoint('concat.record-stored')
  await hot.end(id, 'stored', STORED_KEEP_MS, bytes)
  completion.runLater(id)
  measureFinished(metrics, record)
  return id
}

/** "The partial uploads URLs MAY be absolute or relative and MUST NOT contain spaces". */
async function readPartials(deps: UploadDeps, request: TusRequest, header: string): Promise<UploadRecord[]> {
  const urls = /^final;(.+)$/.exec(header)?.[1]?.trim().split(' ') ?? []
  if (urls.length === 0 || urls.length > MAX_PARTIALS) throw new AppError('CONCAT_INVALID')
  const partials: UploadRecord[] = []
  for (const url of urls) {
    const id = partialId(url, request.baseUrl)
    if (id === undefined || !isUploadId(id, deps.config.secrets.uploadId)) throw new AppError('CONCAT_INVALID')
    const seen = await deps.locks.getStatus(id, request.ticketSlot).catch((error: unknown) => {
      throw error instanceof AppError && error.status < 500 ? new AppError('CONCAT_INVALID', { cause: error }) : error
    })
    const record = 'record' in seen ? seen.record : await deps.uploads.latest(id)
    if (record?.concat?.kind !== 'partial') throw new AppError('CONCAT_INVALID')
    // A joined partial has ended; its record names the final upload.
    if (!isStored(record.state) && record.concat.final === undefined) throw new AppError('CONCAT_INVALID')
    // Repeating a partial could make a file of any size.
    if (partials.some((partial) => partial.id === record.id)) throw new AppError('CONCAT_INVALID')
    partials.push(record)
  }
  return partials
}

const finalOf = ({ concat }: UploadRecord) => (concat?.kind === 'partial' ? concat.final : undefined)

/**
 * The final upload that an earlier request made from the same partials: its response was lost, or its process died.
 * `record` is absent if it was not yet durable. Throws CONCAT_INVALID if they belong to another final upload.
 */
async function begunFinal(
  { uploads }: UploadDeps,
  partials: UploadRecord[],
): Promise<{ id: string; record: UploadRecord | undefined; atMs: number } | undefined> {
  const finals = new Set(partials.map(finalOf).filter((id) => id !== undefined))
  const [id] = finals
  if (id === undefined) return undefined
  const record = await uploads.latest(id)
  const listed = record?.concat?.kind === 'final' ? record.concat.partials : undefined
  const isSame = listed === undefined || listed.join() === partials.map((partial) => partial.id).join()
  if (finals.size > 1 || !isSame) throw new AppError('CONCAT_INVALID')
  const taken = partials.filter((partial) => finalOf(partial) !== undefined)
  return { id, record, atMs: Math.min(...taken.map(({ committedAt }) => Date.parse(committedAt))) }
}

/** Commits the final upload to each partial, so that a partial belongs to only one. False: another was first. */
async function claimPartials({ uploads }: UploadDeps, partials: UploadRecord[], id: string): Promise<boolean> {
  for (const partial of partials) {
    const { record } = await uploads.commit(partial.id, (current) =>
      current === undefined || current.state !== 'stored' || finalOf(current) !== undefined
        ? undefined
        : takenByFinal(current, id),
    )
    if (record === undefined || finalOf(record) !== id) return false
  }
  return true
}

function partialId(url: string, baseUrl: string): string | undefined {
  if (!URL.canParse(url, baseUrl)) return undefined
  const { pathname, host } = new URL(url, baseUrl)
  // URLs of other servers are not accepted.
  if (/^[a-z]+:\/\//i.test(url) && host !== new URL(baseUrl).host) return undefined
  return /\/files\/([^/]+)\/?$/.exec(pathname)?.[1]
}

/** The partials' objects in order. On S3 each partial is completed before the final upload. */
function piecesOf(partials: UploadRecord[]): StoredPart[] {
  let offset = 0
  return partials.map(({ object, receivedBytes }, i) => {
    const piece = { number: i + 1, offset, bytes: receivedBytes, key: object.key }
    offset += receivedBytes
    return piece
  })
}
