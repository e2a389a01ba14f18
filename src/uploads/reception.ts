// Receives one request body under the lock: sink, receiver, and requests of others for the same upload.

import { ticketIssued } from '../auth/issued.ts'
import { AppError, hasCode } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { acceptBody } from '../http/server-answers.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadSession } from '../records/upload-session.ts'
import type { SlotRules } from '../submissions/profiles/profile.ts'
import { CheckedSink, type Checksum, MAX_CHECKED_BYTES, parseChecksum } from './checksum.ts'
import { UploadLedger } from './ledger.ts'
import type { Held } from './lock.ts'
import { endLost } from './lost.ts'
import type { YieldReason } from './peers.ts'
import { Receiver, type Sniffer } from './receive.ts'
import { snifferOf } from './sniff.ts'
import { PartsLost, type Sink } from './stores/port.ts'
import { ENDED_KEEP_MS } from './terminate.ts'
import type { TusRequest } from './tus-request.ts'
import type { UploadDeps } from './upload-deps.ts'

export type Received = {
  /** Durable bytes. */
  offset: number
  /** The client disconnected, or was idle for too long. */
  clientGone: boolean
  /** The upload's record, if this request completed it. */
  finished: UploadRecord | undefined
}

/**
 * Receives the body of `request` into the locked upload, and releases the lock.
 *
 * @param slot rules of its slot, if the caller knows them
 */
export async function receiveBody(
  deps: UploadDeps,
  request: TusRequest,
  held: Held,
  slot?: SlotRules,
): Promise<Received> {
  const { hot } = deps
  const { id } = held.state.draft
  let letGo: () => void = () => undefined
  const released = new Promise<void>((resolve) => {
    letGo = resolve
  })
  // A complete upload has no lock.
  let release = true
  let clientGone = false
  try {
    const received = await receiveLocked(deps, request, held, slot, released)
    release = received.finished === undefined
    clientGone = received.clientGone
    faultPoint('patch.before-answer')
    return received
  } catch (error) {
    // The client has waited for Redis once: the lock expires with its lease, or is taken over.
    if (hasCode(error, 'REDIS_UNAVAILABLE')) release = false
    throw error
  } finally {
    await (release ? hot.release(id, held.fence, clientGone) : Promise.resolve()).finally(letGo)
  }
}

/** @param released resolves when the lock is released, which a newer request waits for */
async function receiveLocked(
  deps: UploadDeps,
  request: TusRequest,
  held: Held,
  slot: SlotRules | undefined,
  released: Promise<void>,
): Promise<Received> {
  const { uploadStore, ledgerParts, hot } = deps
  const checksum = checksumOf(request)
  const bytes = Number(request.raw.headers['content-length'] ?? 0)
  if (bytes > room(held.state)) throw new AppError('UPLOAD_LENGTH_EXCEEDED')
  const sniff = await snifferOf(deps, held.state, slot)
  const ledger = new UploadLedger(ledgerParts, held.state, held.fence)
  acceptBody(request.raw, request.res)
  const inner = await uploadStore.open(held.state, ledger)
  const sink = checksum === undefined ? inner : new CheckedSink(inner, checksum, deps)
  try {
    const { offset, clientGone } = await receiveInto(deps, request, held, { sink, sniff, released })
    request.noteExpiry(ledger.expiresAtMs, offset === held.state.size)
    return { offset, clientGone, finished: ledger.finished }
  } catch (error) {
    if (error instanceof PartsLost) throw await endLost(deps, held, error)
    // Only wrong first bytes were sent: the upload is removed, so that its slot is free.
    if (hasCode(error, 'UPLOAD_TYPE_NOT_ALLOWED') && ledger.unrecorded)
      await hot.end(held.state.draft.id, 'cancelled', ENDED_KEEP_MS)
    throw error
  } finally {
    await sink.close()
  }
}

/** Bytes that may still be sent. */
function room({ size, offset, draft }: UploadSession): number {
  return (size ?? draft.maxBytes) - offset
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
  { sink, sniff, released }: { sink: Sink; sniff: Sniffer | undefined; released: Promise<void> },
): Promise<Pick<Received, 'offset' | 'clientGone'>> {
  const { peers, metrics, config, budget, logger } = deps
  const { id } = state.draft
  const startedAtMs = performance.now()
  const receiver = new Receiver(request.raw, sink, {
    limitBytes: sink instanceof CheckedSink ? Math.min(room(state), MAX_CHECKED_BYTES) : room(state),
    budget,
    idleTimeoutMs: config.uploads.idleTimeoutMs,
    ...(sniff === undefined ? {} : { sniff }),
    readsSockets: deps.socketReading.works,
    // On S3 every complete part is a checkpoint; tails in between would cost calls.
    checkpoint: async () => {
      if (deps.uploadStore.kind !== 'local') return
      await sink.flush()
      faultPoint('checkpoint.flushed')
    },
    onBytes: (bytes) => {
      if (request.receivedBytes === 0) metrics.uploadFirstByte.observe((performance.now() - startedAtMs) / 1000)
      request.receivedBytes += bytes
      metrics.uploadBytesReceived.inc(bytes)
    },
  })
  let over: Promise<unknown> | undefined
  let revoked = false
  let draining = false
  let keeping = false
  // With its last byte here the file is complete, whatever stops the request: nobody would send that byte again.
  const hasLastByte = () => sink.position === state.size && !(sink instanceof CheckedSink)
  const holder = {
    id,
    fence,
    flush: async () => {
      if (over === undefined) await receiver.between(() => sink.flush())
      else await over
      // Who is told the whole length sends no end of the body either: it is not waited for.
      if (hasLastByte()) {
        await receiver.leave()
        await released
      }
      faultPoint('head.flushed')
      return sink.durable
    },
    yield: async (reason: YieldReason) => {
      draining = reason === 'draining'
      // For a slow line, sending many bytes again is worse than one 409 at a changed offset.
      keeping = draining || (reason === 'taken-over' && sink.position - sink.durable > DROP_BYTES)
      await (keeping ? receiver.leave() : receiver.stop())
      faultPoint('take-over.yielding')
      await released
    },
  }
  peers.add(holder)
  const { ticket } = request
  const unwatch =
    ticket === null
      ? undefined
      : deps.revocations.watch(ticketIssued(ticket), () => {
          revoked = true
          void receiver.leave()
        })
  metrics.uploadsInFlight.inc()
  try {
    const end = await receiver.run()
    faultPoint('patch.bytes-written')
    // What came before counts: it was sent in good faith, and the person may go on with a new ticket.
    if (end === 'stopped' && revoked && !hasLastByte()) throw new AppError('TICKET_REVOKED')
    if (end === 'stopped' && !draining && !hasLastByte()) {
      if (keeping) await sink.flush()
      throw new AppError('UPLOAD_TAKEN_OVER')
    }
    if (end === 'complete' && sink instanceof CheckedSink) await sink.verify()
    // An incomplete body is not verified.
    const verified = end === 'complete' || !(sink instanceof CheckedSink)
    over = verified && sink.position === state.size ? sink.complete() : sink.flush()
    await over
    if (end === 'gone') logger.debug({ uploadId: id, offset: sink.durable }, 'client disconnected; its bytes are kept')
    // A creation responds with its offset; a PATCH is retried and continues elsewhere.
    if (end === 'stopped' && request.method === 'PATCH' && sink.durable !== state.size)
      throw new AppError('DRAINING', { retryAfterSeconds: 1 })
    return { offset: sink.durable, clientGone: end === 'gone' }
  } catch (error) {
    // Bytes written before the error count, unless the lock is lost.
    if (over === undefined && !isLost(error)) await sink.flush()
    throw error
  } finally {
    metrics.uploadsInFlight.dec()
    peers.remove(holder)
    unwatch?.()
  }
}

/** What a taken-over request may lose: about what a client sends before it gets the response. */
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
