// Receiving one request's body under the lock: sink, receiver and the conversation with whoever else wants the upload.

import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { identify } from '../core/identify.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import { CheckedSink, type Checksum, MAX_CHECKED_BYTES, parseChecksum } from './checksum.ts'
import { UploadLedger } from './ledger.ts'
import type { Held } from './lock.ts'
import type { YieldReason } from './peers.ts'
import { Receiver } from './receive.ts'
import type { Sink } from './stores/port.ts'
import { ENDED_KEEP_MS } from './terminate.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

/**
 * Receives the body of `request` into the upload that `held` locks.
 *
 * @param released resolves when the lock has been let go, which is what a newer request waits for
 * @returns the durable offset, when the upload expires if it is left so, and its record if it is whole
 */
export async function receiveBody(
  deps: UploadDeps,
  request: TusRequest,
  held: Held,
  released: Promise<void>,
): Promise<{ offset: number; expiresAtMs: number; finished: UploadRecord | undefined }> {
  const { uploadStore, ledgerParts, hot } = deps
  const checksum = checksumOf(request)
  const ledger = new UploadLedger(ledgerParts, held.state, held.fence)
  const inner = await uploadStore.open(held.state, ledger)
  const sink = checksum === undefined ? inner : new CheckedSink(inner, checksum, deps)
  try {
    const offset = await receiveInto(deps, request, held, sink, released)
    return { offset, expiresAtMs: ledger.expiresAtMs, finished: ledger.finished }
  } catch (error) {
    // Nothing but a wrong beginning: what would go on with it is refused again, so its place is free.
    if (error instanceof AppError && error.code === 'UPLOAD_TYPE_NOT_ALLOWED' && ledger.unrecorded)
      await hot.end(held.state.draft.id, 'cancelled', ENDED_KEEP_MS)
    throw error
  } finally {
    await sink.close()
  }
}

/** Throws TUS_HEADER_INVALID, CHECKSUM_UNSUPPORTED, CHECKSUM_BODY_TOO_LARGE. */
function checksumOf({ raw }: TusRequest): Checksum | undefined {
  const header = raw.headers['upload-checksum']
  if (typeof header !== 'string') return undefined
  const length = Number(raw.headers['content-length'] ?? 0)
  if (length > MAX_CHECKED_BYTES)
    throw new AppError('CHECKSUM_BODY_TOO_LARGE', { details: { limit: MAX_CHECKED_BYTES, actual: length } })
  return parseChecksum(header)
}

async function receiveInto(
  deps: UploadDeps,
  request: TusRequest,
  { state, fence }: Held,
  sink: Sink,
  released: Promise<void>,
): Promise<number> {
  const { peers, metrics, config, budget, logger } = deps
  const { id, kinds } = state.draft
  const startedAtMs = performance.now()
  const room = (state.size ?? state.draft.maxBytes) - state.offset
  const receiver = new Receiver(request.raw, sink, {
    limitBytes: sink instanceof CheckedSink ? Math.min(room, MAX_CHECKED_BYTES) : room,
    budget,
    idleTimeoutMs: config.uploads.idleTimeoutMs,
    ...(state.offset === 0 && kinds.length > 0 && state.draft.concat?.kind !== 'partial'
      ? { sniff: (start: Buffer, ended: boolean) => sniff(kinds, start, { ended, size: state.size }) }
      : {}),
    // On S3 every whole part is one already; a tail in between would cost calls.
    checkpoint: async () => {
      if (deps.uploadStore.kind !== 'local') return
      await sink.flush()
      faultPoint('checkpoint.flushed')
    },
    onBytes: (bytes) => {
      if (request.receivedBytes === 0)
        metrics.uploadFirstByte.observe((performance.now() - startedAtMs) / 1000)
      request.receivedBytes += bytes
      metrics.uploadBytesReceived.inc(bytes)
    },
  })
  let over: Promise<unknown> | undefined
  let draining = false
  let keeping = false
  const holder = {
    id,
    fence,
    flush: async () => {
      if (over === undefined) await receiver.between(() => sink.flush())
      else await over
      faultPoint('head.flushed')
      return sink.durable
    },
    yield: async (reason: YieldReason) => {
      draining = reason === 'draining'
      // Sending much again costs a slow line more than one refusal at an offset that has moved.
      keeping = draining || (reason === 'taken-over' && sink.position - sink.durable > DROP_BYTES)
      await (keeping ? receiver.leave() : receiver.stop())
      faultPoint('take-over.yielding')
      await released
    },
  }
  peers.add(holder)
  metrics.uploadsInFlight.inc()
  try {
    const end = await receiver.run()
    faultPoint('patch.bytes-written')
    if (end === 'stopped' && !draining) {
      if (keeping) await sink.flush()
      throw new AppError('UPLOAD_TAKEN_OVER')
    }
    if (end === 'complete' && sink instanceof CheckedSink) await sink.verify()
    // A body that broke off was not verified, however much of it came.
    const verified = end === 'complete' || !(sink instanceof CheckedSink)
    over = verified && sink.position === state.size ? sink.complete() : sink.flush()
    await over
    if (end === 'gone')
      logger.debug({ uploadId: id, offset: sink.durable }, 'client went away; its bytes are kept')
    // A creation answers with what it has; a PATCH is tried again, and goes on elsewhere.
    if (end === 'stopped' && request.method === 'PATCH' && sink.durable !== state.size)
      throw new AppError('DRAINING', { retryAfterSeconds: 1 })
    return sink.durable
  } catch (error) {
    // What was written before the trouble counts, unless the trouble is that it no longer may.
    if (over === undefined && !isLost(error)) await sink.flush()
    throw error
  } finally {
    metrics.uploadsInFlight.dec()
    peers.remove(holder)
  }
}

/** What a request that is taken over may lose: as much as a client sends before it could have been told. */
const DROP_BYTES = 256 * 1024

const LOST = new Set<string>([
  'UPLOAD_TAKEN_OVER',
  'UPLOAD_EXPIRED',
  'UPLOAD_CANCELLED',
  'UPLOAD_TYPE_NOT_ALLOWED',
  'NO_SPACE',
  'STORE_UNAVAILABLE',
  'REDIS_UNAVAILABLE',
])

function isLost(error: unknown): boolean {
  return error instanceof AppError && LOST.has(error.code)
}

/**
 * True when the first bytes have told what the file is, or will tell no more; throws when the slot does not take it. A
 * body may be over long before its file is: what so few bytes do not tell is left to the verdict.
 */
function sniff(
  kinds: string[],
  start: Buffer,
  { ended, size }: { ended: boolean; size: number | null },
): boolean {
  const identity = identify(start, ended && start.length === size)
  if (identity.kind === 'undecided') return ended
  if (!kinds.includes(identity.kind))
    throw new AppError('UPLOAD_TYPE_NOT_ALLOWED', { details: { limit: kinds, actual: identity.container } })
  return true
}
