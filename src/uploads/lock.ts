// The lock of an upload. A newer request wins: it asks the holder, in whatever process, to release the lock, and
// takes it if there is no answer. After a holder that did not release, the offset is checked against the store.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { newToken } from '../core/ids.ts'
import type { Metrics } from '../core/metrics.ts'
import type { Completion } from '../lifecycle/completion.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadRecords } from '../records/upload-records.ts'
import { slotKey, type UploadSession } from '../records/upload-session.ts'
import type { UploadSessionStore } from '../records/upload-session-store.ts'
import { offsetMismatch } from './offset-mismatch.ts'
import { mayBeAlive, type Peers } from './peers.ts'
import { restoreReceiving } from './restore.ts'
import type { UploadStore } from './stores/port.ts'

export type LockDeps = {
  hot: UploadSessionStore
  uploads: UploadRecords
  completion: Completion
  peers: Peers
  store: UploadStore
  metrics: Metrics
  clock: Clock
  expiryMs: number
}

/** A held lock: the current session, and the fence under which progress counts. */
export type Held = { state: UploadSession; fence: string }

const MAX_ROUNDS = 20
/** What a client that is gone had sent is read within this time. */
const GONE_WITHIN_MS = 3000
const POLL_MS = 100

export class UploadLocks {
  readonly #deps: LockDeps

  constructor(deps: LockDeps) {
    this.#deps = deps
  }

  /**
   * Takes the lock. With `verify` the offset is read from the store. With `offset` (PATCH) the lock is taken, and its holder interrupted, only if the upload is at this offset.
   * Throws TICKET_SCOPE, UPLOAD_UNKNOWN, UPLOAD_EXPIRED, UPLOAD_CANCELLED, UPLOAD_FINISHED, OFFSET_MISMATCH (with the true
   * Upload-Offset), UPLOAD_LOCKED.
   */
  async acquire(
    id: string,
    options: {
      offset?: number
      ticketSlot?: string
      reason?: 'taken-over' | 'ended'
      verify?: boolean
      /** Take it only from this holder; null: only if nobody holds it. */
      from?: string | null
      /** The request that takes it: a client that is gone interrupts nobody. */
      request?: { readonly destroyed: boolean }
    } = {},
  ): Promise<Held> {
    const { hot, peers, metrics } = this.#deps
    const fence = newToken()
    let askedOf: string | undefined
    let steal: string | undefined
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const outcome = await hot.acquire(id, fence, peers.channel, {
        ...(options.offset === undefined ? {} : { offset: options.offset }),
        ...(steal === undefined ? {} : { steal }),
        ...(options.ticketSlot === undefined ? {} : { ticketSlot: options.ticketSlot }),
      })
      switch (outcome.kind) {
        case 'acquired': {
          const { state, formerHolder } = outcome
          // A holder that Redis forgot may have stored more since the session was restored.
          const doubtful = formerHolder !== null || !state.trusted || state.restored === true || options.verify === true
          if (doubtful) faultPoint('take-over.lock-taken')
          const checked = doubtful ? await this.#recover(state, fence, formerHolder) : state
          if (doubtful) faultPoint('take-over.recovered')
          if (options.offset !== undefined && options.offset !== checked.offset) {
            await hot.release(id, fence)
            throw offsetMismatch(checked.offset)
          }
          return { state: checked, fence }
        }
        case 'scope':
          throw new AppError('TICKET_SCOPE')
        case 'offset':
          throw offsetMismatch(outcome.state.offset)
        case 'ended':
          throw await this.ended(outcome.state)
        case 'missing': {
          const restored = await this.restore(id)
          if ('record' in restored) throw this.#endedByRecord(restored.record, options.ticketSlot)
          break
        }
        case 'held': {
          if (options.from !== undefined && options.from !== outcome.fence)
            throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
          if (options.request?.destroyed === true) throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
          if (askedOf !== outcome.fence) metrics.uploadTakeovers.inc()
          askedOf = outcome.fence
          const { unresponsive } = await peers.ask('yield', id, outcome.fence, outcome.channel, options.reason)
          faultPoint('take-over.asked')
          // A holder that answered has released it; one that did not loses its fence.
          steal = unresponsive ? outcome.fence : undefined
        }
      }
    }
    metrics.lockTimeouts.inc()
    throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
  }

  /**
   * State for HEAD: asks a running request to store what it has, and never ends it. `ticketSlot` as in `acquire`. `storing`: it is
   * still storing, and the offset will rise.
   */
  async getStatus(
    id: string,
    ticketSlot?: string,
  ): Promise<{ state: UploadSession; storing: boolean } | { record: UploadRecord }> {
    const { hot, peers, uploads } = this.#deps
    let storing = false
    let state = await hot.read(id)
    // Also if it is locked: a session of another Redis run may be older than the acknowledged offset.
    if (state === undefined || !state.trusted || state.restored === true) {
      const restored = await this.restore(id)
      if (
        ticketSlot !== undefined &&
        ticketSlot !== slotKey('record' in restored ? restored.record : restored.state.draft)
      )
        throw new AppError('TICKET_SCOPE')
      if ('record' in restored) return restored
      state = restored.state
    }
    if (ticketSlot !== undefined && ticketSlot !== slotKey(state.draft)) throw new AppError('TICKET_SCOPE')
    if (state.holder !== null && state.status === 'receiving') {
      const { fence, channel } = state.holder
      const { offset, unresponsive, timedOut } = await peers.ask('flush', id, fence, channel)
      storing = timedOut
      if (offset !== null) state = (await hot.read(id)) ?? state
      else if (unresponsive) state = (await this.#takeStock(id, state.holder)) ?? state
    } else if (state.abandoned && state.status === 'receiving') {
      state = (await this.#takeStock(id, null)) ?? state
    }
    // Its request failed after the last byte was stored. Who is told the whole length sends nothing more: it is finished here.
    if (state.status === 'receiving' && hasAllBytes(state) && !storing)
      state = (await this.#verified(id, state.holder, { verify: true })) ?? state
    if (state.status === 'finishing') {
      const record = await this.#deps.completion.commitFinishing(state)
      this.#deps.completion.runLater(id)
      return { record }
    }
    if (state.status !== 'receiving' && state.status !== 'stored') {
      const record = await uploads.latest(id)
      if (record === undefined) throw await this.ended(state)
      return { record }
    }
    return { state, storing }
  }

  /**
   * A dead holder may have stored more in the local file than it saved. `holder`: it did not answer;
   * while its process is alive, its bytes are not touched. A newer holder is not interrupted: reading the state is
   * no take-over.
   */
  async #takeStock(id: string, holder: UploadSession['holder']): Promise<UploadSession | undefined> {
    if (this.#deps.store.kind !== 'local' || (holder !== null && mayBeAlive(holder.channel))) return undefined
    return await this.#verified(id, holder)
  }

  /** The session after it was compared with the store, unless somebody other than `holder` holds it. */
  async #verified(
    id: string,
    holder: UploadSession['holder'],
    options: { verify?: boolean } = {},
  ): Promise<UploadSession | undefined> {
    const { hot } = this.#deps
    try {
      const { fence } = await this.acquire(id, { ...options, from: holder?.fence ?? null })
      await hot.release(id, fence)
    } catch (error) {
      // The upload was complete, or another request was faster: the session in Redis is correct now.
      if (!(error instanceof AppError) || error.status >= 500) throw error
    }
    return await hot.read(id)
  }

  /**
   * After a newer request took the lock: true if its client was gone. Such a request came late, and the one that it
   * interrupted may be the only living one. Waits until the newer one has ended, at most GONE_WITHIN_MS and only while
   * `waits`.
   */
  async takenByGoneClient(id: string, waits: () => boolean): Promise<boolean> {
    const endMs = performance.now() + GONE_WITHIN_MS
    let wasHeld = false
    while (waits() && performance.now() < endMs) {
      const state = await this.#deps.hot.read(id)
      if (state?.clientGone === true) return true
      // Just released: the newer one has not taken it yet.
      if (state?.status !== 'receiving' || (wasHeld && state.holder === null)) return false
      wasHeld ||= state.holder !== null
      await sleep(POLL_MS)
    }
    return false
  }

  /** The error for an upload that has ended. */
  async ended(state: UploadSession): Promise<AppError> {
    if (state.status === 'expired') return new AppError('UPLOAD_EXPIRED')
    if (state.status === 'cancelled') return new AppError('UPLOAD_CANCELLED')
    if (state.draft.concat?.kind === 'final') return new AppError('CONCAT_FINAL_PATCH')
    if (state.status === 'finishing') {
      await this.#deps.completion.commitFinishing(state)
      this.#deps.completion.runLater(state.draft.id)
    }
    return offsetMismatch(state.size ?? state.offset)
  }

  /** The same, from the record. */
  #endedByRecord(record: UploadRecord, ticketSlot: string | undefined): AppError {
    if (ticketSlot !== undefined && ticketSlot !== slotKey(record)) return new AppError('TICKET_SCOPE')
    if (record.state === 'expired') return new AppError('UPLOAD_EXPIRED')
    if (record.state === 'cancelled') return new AppError('UPLOAD_CANCELLED')
    this.#deps.completion.runLater(record.id)
    return offsetMismatch(record.receivedBytes)
  }

  /** Restores a lost or untrusted session from the store. Throws UPLOAD_UNKNOWN. */
  async restore(id: string): Promise<{ state: UploadSession } | { record: UploadRecord }> {
    const { hot, uploads } = this.#deps
    const record = await uploads.fromStore(id)
    const known = await hot.read(id)
    if (record !== undefined) await uploads.restore(record)
    if (record !== undefined && record.state !== 'receiving') return { record }
    const restored = await restoreReceiving(this.#deps, record, known, null)
    if (hasAllBytes(restored)) return { record: await this.#finish(restored) }
    const state = await hot.read(id)
    if (state === undefined) throw new AppError('UPLOAD_UNKNOWN')
    return { state }
  }

  /** After a dead holder or a loss of Redis, the contiguous prefix in the store counts. */
  async #recover(state: UploadSession, fence: string, formerHolder: string | null): Promise<UploadSession> {
    const { hot, uploads, completion } = this.#deps
    const { id } = state.draft
    const record = await uploads.fromStore(id)
    if (record !== undefined && record.state !== 'receiving') {
      const status = record.state === 'expired' || record.state === 'cancelled' ? record.state : 'stored'
      const ended: UploadSession = {
        ...state,
        status,
        size: record.declared.bytes,
        offset: record.receivedBytes,
        version: record.version,
      }
      await uploads.announce(record)
      await hot.end(id, status, this.#deps.expiryMs, status === 'stored' ? record.receivedBytes : undefined)
      if (status === 'stored') completion.runLater(id)
      throw await this.ended(ended)
    }
    const restored = await restoreReceiving(this.#deps, record, state, fence, formerHolder)
    if (hasAllBytes(restored)) {
      const storedAtMs = this.#deps.clock.now()
      await hot.saveProgress(id, fence, {
        offset: restored.offset,
        expiresAtMs: restored.expiresAtMs,
        status: 'finishing',
        storedAtMs,
      })
      await this.#finish({ ...restored, storedAtMs })
      throw offsetMismatch(restored.offset)
    }
    return restored
  }

  /** The upload was complete before its holder died or Redis was lost: finish it here. */
  async #finish(state: UploadSession): Promise<UploadRecord> {
    const { completion, clock } = this.#deps
    const record = await completion.commitFinishing({
      ...state,
      status: 'finishing',
      storedAtMs: state.storedAtMs ?? clock.now(),
    })
    completion.runLater(state.draft.id)
    return record
  }
}

function hasAllBytes({ size, offset }: UploadSession): boolean {
  return size !== null && size > 0 && offset === size
}
