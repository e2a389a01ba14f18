// Who may write to an upload. A newer request wins: it asks the holder to let go, in whatever process that is, and
// takes the lock of one that does not answer. What a holder left behind in disorder is checked against the store first.

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

/** A lock that is held: the state as of now, and the fence under which commits count. */
export type Held = { state: UploadSession; fence: string }

const MAX_ROUNDS = 20

export class UploadLocks {
  readonly #deps: LockDeps

  constructor(deps: LockDeps) {
    this.#deps = deps
  }

  /**
   * Takes the lock; with `verify` the store is asked where the upload stands, whatever Redis says. With `offset` (PATCH) only an upload that stands there is taken, and its holder disturbed.
   * Throws TICKET_SCOPE, UPLOAD_UNKNOWN, UPLOAD_EXPIRED, UPLOAD_CANCELLED, UPLOAD_FINISHED, OFFSET_MISMATCH (with the true
   * Upload-Offset), UPLOAD_LOCKED.
   */
  async acquire(
    id: string,
    options: {
      offset?: number
      place?: string
      reason?: 'taken-over' | 'ended'
      verify?: boolean
      /** Taken from this holder alone; null: only when nobody holds it. */
      from?: string | null
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
        ...(options.place === undefined ? {} : { place: options.place }),
      })
      switch (outcome.kind) {
        case 'acquired': {
          const { state, formerHolder } = outcome
          // A holder that Redis forgot may have stored more since the upload was put back.
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
          if ('record' in restored) throw this.#endedByRecord(restored.record, options.place)
          break
        }
        case 'held': {
          if (options.from !== undefined && options.from !== outcome.fence)
            throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
          if (askedOf !== outcome.fence) metrics.uploadTakeovers.inc()
          askedOf = outcome.fence
          const { silent } = await peers.ask('yield', id, outcome.fence, outcome.channel, options.reason)
          faultPoint('take-over.asked')
          // One that answered has let go; one that did not is not waited for: its fence no longer counts.
          steal = silent ? outcome.fence : undefined
        }
      }
    }
    metrics.lockTimeouts.inc()
    throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: 1 })
  }

  /**
   * State for HEAD: asks a running request to store what it has, and never ends it. `place` as in `acquire`. `storing`: it is
   * still at it, and the offset is about to be more.
   */
  async getStatus(
    id: string,
    place?: string,
  ): Promise<{ state: UploadSession; storing: boolean } | { record: UploadRecord }> {
    const { hot, peers, uploads } = this.#deps
    let storing = false
    let state = await hot.read(id)
    // Who holds it makes no difference: what was written under another Redis may be older than what was acknowledged.
    if (state === undefined || !state.trusted || state.restored === true) {
      const restored = await this.restore(id)
      if (place !== undefined && place !== slotKey('record' in restored ? restored.record : restored.state.draft))
        throw new AppError('TICKET_SCOPE')
      if ('record' in restored) return restored
      state = restored.state
    }
    if (place !== undefined && place !== slotKey(state.draft)) throw new AppError('TICKET_SCOPE')
    if (state.holder !== null && state.status === 'receiving') {
      const { fence, channel } = state.holder
      const { offset, silent, late } = await peers.ask('flush', id, fence, channel)
      storing = late
      if (offset !== null) state = (await hot.read(id)) ?? state
      else if (silent) state = (await this.#takeStock(id, state.holder)) ?? state
    } else if (state.abandoned && state.status === 'receiving') {
      state = (await this.#takeStock(id, null)) ?? state
    }
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
   * A holder that is gone may have left more in the local file than it had time to say. `holder`: it did not answer;
   * while its process lives, its bytes are its own. Whoever has taken the upload meanwhile is not disturbed: to look is
   * not to take over.
   */
  async #takeStock(id: string, holder: UploadSession['holder']): Promise<UploadSession | undefined> {
    const { store, hot } = this.#deps
    if (store.kind !== 'local' || (holder !== null && mayBeAlive(holder.channel))) return undefined
    try {
      const { fence } = await this.acquire(id, { from: holder?.fence ?? null })
      await hot.release(id, fence)
    } catch (error) {
      // Everything had arrived, or somebody else was faster: what Redis says now is right.
      if (!(error instanceof AppError) || error.status >= 500) throw error
    }
    return await hot.read(id)
  }

  /** The error for an upload that takes no more bytes. */
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

  /** The same where only the record is left to tell. */
  #endedByRecord(record: UploadRecord, place: string | undefined): AppError {
    if (place !== undefined && place !== slotKey(record)) return new AppError('TICKET_SCOPE')
    if (record.state === 'expired') return new AppError('UPLOAD_EXPIRED')
    if (record.state === 'cancelled') return new AppError('UPLOAD_CANCELLED')
    this.#deps.completion.runLater(record.id)
    return offsetMismatch(record.receivedBytes)
  }

  /** Redis has lost the upload, or is of another run: the store says what is there. Throws UPLOAD_UNKNOWN. */
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

  /** A holder died, or Redis is not the one it wrote to: the store's contiguous prefix counts. */
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

  /** Everything had arrived before its holder died, or before Redis was lost: nobody else would finish it. */
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
