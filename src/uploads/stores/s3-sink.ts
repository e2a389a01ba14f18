// The sink of the S3 store. One part is in flight while the next is filled; offsets are saved in order,
// so the saved offset is always a contiguous prefix.

import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../core/errors.ts'
import { faultPoint } from '../../core/fault-points.ts'
import { newToken } from '../../core/ids.ts'
import { retryWhileUnavailable } from '../../core/retry.ts'
import { objectKeys } from '../../records/keys.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import { RECORD_METADATA_KEY } from '../../records/upload-records.ts'
import type { UploadSession } from '../../records/upload-session.ts'
import { withoutFirst } from '../../storage/fd.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { ByteBudget } from '../budget.ts'
import { PartBuffer, type PartBytes } from './part-buffer.ts'
import type { Ledger, Sink } from './port.ts'
import type { S3Parts } from './s3-parts.ts'
import type { Spool } from './spool.ts'

/** S3 has no conditional part uploads: the part in flight of a lost holder may still arrive within this time. */
const IN_FLIGHT_MS = 30_000
/** Minimum bytes in memory for writing a tail when the spool is full. */
const TAIL_STEP_BYTES = 1024 ** 2
/** S3 allows 2 KB of user metadata, including names. */
const MAX_RECORD_METADATA_BYTES = 1900

export type S3SinkDeps = {
  parts: S3Parts
  objects: ObjectStore
  state: UploadSession
  ledger: Ledger
  budget: ByteBudget
  spool: Spool
  committed: StoredPart[]
}

type PartBody = PartBytes & { offset: number }

export class S3Sink implements Sink {
  readonly #s3: S3Parts
  readonly #objects: ObjectStore
  readonly #ledger: Ledger
  readonly #state: UploadSession
  readonly #key: string
  readonly #partBytes: number
  readonly #committed: StoredPart[]
  #multipartId: string | null
  #tailKey: string | null
  /** Offset of the buffer's first byte. */
  #begin: number
  readonly #budget: ByteBudget
  readonly #buffer: PartBuffer
  #inFlight: Promise<void> | null = null
  #failure: unknown
  position: number
  durable: number

  constructor({ parts, objects, state, ledger, budget, spool, committed }: S3SinkDeps) {
    this.#s3 = parts
    this.#objects = objects
    this.#ledger = ledger
    this.#state = state
    this.#key = objectKeys.data(state.draft.id)
    this.#partBytes = state.partBytes
    this.#committed = committed
    this.#multipartId = state.multipartId
    this.#tailKey = state.tailKey
    this.#begin = Math.floor(state.offset / state.partBytes) * state.partBytes
    this.#budget = budget
    this.#buffer = new PartBuffer(budget, spool)
    this.#buffer.beginWithTail(state.offset - this.#begin)
    this.position = state.offset
    this.durable = state.offset
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    const before = this.position
    try {
      await this.#take(chunks)
    } catch (error) {
      // Release the bytes that the buffer did not take over.
      const taken = this.position - before
      this.#budget.releaseChunks(withoutFirst(chunks, taken), bytes - taken)
      throw error
    }
  }

  async #take(chunks: Buffer[]): Promise<void> {
    this.#check()
    for (const chunk of chunks) {
      let rest = chunk
      // `complete` sends the last part: a file of one part never becomes a multipart upload.
      while (this.#buffer.bytes + rest.length >= this.#partBytes && !this.#isLast(rest.length)) {
        const room = this.#partBytes - this.#buffer.bytes
        this.#append(rest.subarray(0, room))
        rest = rest.subarray(room)
        await this.#sendFull()
      }
      if (rest.length > 0) this.#append(rest)
    }
    if (this.#budget.aboveSoftLimit) await this.#spillOrFlush()
  }

  #append(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#buffer.append(chunk)
    this.position += chunk.length
  }

  /** True if these bytes complete the file within the current part. */
  #isLast(bytes: number): boolean {
    return this.position + bytes === this.#state.size && this.#buffer.bytes + bytes <= this.#partBytes
  }

  /** Sends the full part in the background, after the one before it is stored. */
  async #sendFull(): Promise<void> {
    if (this.#inFlight !== null) await this.#inFlight
    this.#check()
    const part = await this.#takePart()
    this.#inFlight = this.#sendWhole(part).then(
      () => {
        this.#inFlight = null
      },
      (error: unknown) => {
        this.#inFlight = null
        this.#failure ??= error
      },
    )
  }

  /** Memory is short: moves the part to the spool, or to S3 as a tail if the spool is full. */
  async #spillOrFlush(): Promise<void> {
    if (await this.#buffer.spill()) return
    // A tail is rewritten as a whole: only for enough bytes, or above the hard limit.
    if (this.#buffer.inMemory < TAIL_STEP_BYTES && !this.#budget.aboveLimit) return
    await this.flush()
    await this.#buffer.forget()
  }

  async #fetchTail(): Promise<Buffer> {
    if (this.#tailKey === null) throw new Error(`${this.#key}: a tail is missing`)
    const key = this.#tailKey
    return await retryWhileUnavailable(() => this.#objects.readAt(key, 0, this.#partBytes)).catch((error: unknown) => {
      // The upload is not unknown: a newer holder has stored the tail's bytes elsewhere and removed it.
      const isRemoved = error instanceof AppError && error.code === 'UPLOAD_UNKNOWN'
      throw isRemoved ? new AppError('UPLOAD_TAKEN_OVER', { cause: error }) : error
    })
  }

  async flush(): Promise<void> {
    await this.#settled()
    if (this.position === this.durable) return
    if (this.#buffer.bytes > 0) {
      const key = objectKeys.tail(this.#state.draft.id, this.#begin, newToken())
      const end = this.position
      const tail = await this.#buffer.peek(() => this.#fetchTail())
      await this.#s3.put(key, tail.chunks, tail.bytes).finally(tail.release)
      faultPoint('patch.tail-written')
      // Refused: another holder may have counted this tail already, so it stays.
      await this.#ledger.advance(end, { tailKey: key, ...this.#begunMultipart() })
      faultPoint('patch.tail-committed')
      await this.#replaceTail(key)
      this.durable = end
    }
  }

  async complete(): Promise<void> {
    await this.#settled()
    if (this.#multipartId === null) await this.#completeSingle()
    else await this.#completeMultipart(this.#multipartId)
    await this.#replaceTail(null)
    this.durable = this.position
  }

  async close(): Promise<void> {
    if (this.#inFlight !== null) await this.#inFlight
    await this.#buffer.close()
  }

  async #completeSingle(): Promise<void> {
    const { id } = this.#state.draft
    const { chunks, bytes, release } = await this.#takePart()
    try {
      if (this.#ledger.unrecorded) {
        const key = objectKeys.single(id, newToken())
        const record = await this.#ledger.singleRecord(key)
        const encoded = Buffer.from(JSON.stringify(record)).toString('base64')
        if (encoded.length <= MAX_RECORD_METADATA_BYTES) {
          await this.#s3.put(key, chunks, bytes, { [RECORD_METADATA_KEY]: encoded })
          await this.#ledger.complete({ kind: 'single', record })
          return
        }
      }
      const key = `${this.#key}-${newToken()}`
      await this.#s3.put(key, chunks, bytes)
      await this.#ledger.complete({ kind: 'object', key })
    } finally {
      release()
    }
  }

  async #completeMultipart(multipartId: string): Promise<void> {
    if (this.#buffer.bytes > 0) this.#committed.push((await this.#send(await this.#takePart())).part)
    await this.#ledger.complete({
      kind: 'multipart',
      key: this.#key,
      multipartId,
      partBytes: this.#partBytes,
      parts: this.#committed,
    })
  }

  async #sendWhole(body: PartBody): Promise<void> {
    const { part, multipartId } = await this.#send(body)
    await this.#ledger.advance(part.offset + part.bytes, {
      multipartId,
      parts: [part],
      tailKey: null,
      clearInFlight: true,
    })
    this.#committed.push(part)
    faultPoint('patch.part-committed')
    this.durable = part.offset + part.bytes
    await this.#replaceTail(null)
  }

  async #send({ offset, chunks, bytes, release }: PartBody): Promise<{ part: StoredPart; multipartId: string }> {
    try {
      const number = Math.round(offset / this.#partBytes) + 1
      this.#multipartId ??= await this.#s3.start(this.#key)
      const multipartId = this.#multipartId
      await this.#waitForInFlightPart(number)
      await this.#ledger.markInFlight(number)
      faultPoint('patch.part-in-flight')
      const sent = await this.#s3.send(this.#key, multipartId, number, chunks, bytes)
      faultPoint('patch.part-sent')
      return { part: { number, offset, bytes, ...sent }, multipartId }
    } finally {
      release()
    }
  }

  async #takePart(): Promise<PartBody> {
    const taken = await this.#buffer.take(() => this.#fetchTail())
    const body = { ...taken, offset: this.#begin }
    this.#begin += taken.bytes
    return body
  }

  /** Waits until a part that a lost holder may still be sending can no longer arrive. */
  async #waitForInFlightPart(number: number): Promise<void> {
    const [inFlight, since] = (this.#state.inFlight ?? '').split(':').map(Number)
    if (inFlight !== number || since === undefined) return
    // Never longer, whatever Redis' clock was set to meanwhile.
    const waitMs = Math.min(IN_FLIGHT_MS, since + IN_FLIGHT_MS - performance.now())
    if (waitMs > 0) await delay(waitMs)
    this.#state.inFlight = null
  }

  #begunMultipart(): { multipartId?: string } {
    return this.#multipartId === null ? {} : { multipartId: this.#multipartId }
  }

  /** Removes the old tail, after its bytes are stored elsewhere. */
  async #replaceTail(key: string | null): Promise<void> {
    const old = this.#tailKey
    this.#tailKey = key
    if (old !== null && old !== key) await this.#objects.remove(old)
  }

  async #settled(): Promise<void> {
    if (this.#inFlight !== null) await this.#inFlight
    this.#check()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
