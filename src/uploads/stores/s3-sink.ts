// One request's way of writing to S3. One part is in flight while the next one fills; offsets are committed in order,
// so what is committed is always the contiguous prefix.

import { setTimeout as delay } from 'node:timers/promises'
import { newToken } from '../../core/ids.ts'
import type { HotUpload } from '../../records/hot-upload.ts'
import { objectKeys } from '../../records/keys.ts'
import type { StoredPart } from '../../records/upload-record.ts'
import { RECORD_METADATA_KEY } from '../../records/upload-records.ts'
import type { ObjectStore } from '../../storage/object-store.ts'
import type { Ledger, Sink } from './port.ts'
import type { S3Parts } from './s3-parts.ts'

/** S3 has no condition on parts: a part that a lost holder had in flight may still arrive until then. */
const IN_FLIGHT_MS = 30_000
/** S3 allows 2 KB of user metadata; names and values count. */
const MAX_RECORD_METADATA_BYTES = 1900

export type S3SinkParts = {
  parts: S3Parts
  objects: ObjectStore
  state: HotUpload
  ledger: Ledger
  /** Bytes behind the last whole part that were stored before. */
  tail: Buffer
  committed: StoredPart[]
}

export class S3Sink implements Sink {
  readonly #s3: S3Parts
  readonly #objects: ObjectStore
  readonly #ledger: Ledger
  readonly #state: HotUpload
  readonly #key: string
  readonly #partBytes: number
  readonly #committed: StoredPart[]
  #multipartId: string | null
  #tailKey: string | null
  /** Where the buffer begins. */
  #begin: number
  #buffer: Buffer[]
  #buffered: number
  #inFlight: Promise<void> | null = null
  #failure: unknown
  position: number
  durable: number

  constructor({ parts, objects, state, ledger, tail, committed }: S3SinkParts) {
    this.#s3 = parts
    this.#objects = objects
    this.#ledger = ledger
    this.#state = state
    this.#key = objectKeys.data(state.draft.id)
    this.#partBytes = state.partBytes
    this.#committed = committed
    this.#multipartId = state.multipartId
    this.#tailKey = state.tailKey
    this.#begin = state.offset - tail.length
    this.#buffer = tail.length > 0 ? [tail] : []
    this.#buffered = tail.length
    this.position = state.offset
    this.durable = state.offset
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    this.#check()
    for (const chunk of chunks) this.#buffer.push(chunk)
    this.#buffered += bytes
    this.position += bytes
    // The last part is sent by `complete`: a file of one part never becomes a multipart upload.
    while (
      this.#buffered > this.#partBytes ||
      (this.#buffered === this.#partBytes && this.position !== this.#state.size)
    ) {
      if (this.#inFlight !== null) await this.#inFlight
      this.#check()
      const part = this.#take(this.#partBytes)
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
  }

  async flush(): Promise<void> {
    await this.#settled()
    if (this.position === this.durable) return
    if (this.#buffered > 0) {
      const key = objectKeys.tail(this.#state.draft.id, this.#begin, newToken())
      const end = this.position
      await this.#s3.put(key, this.#joined())
      await this.#ledger
        .advance(end, { tailKey: key, ...this.#begunMultipart() })
        .catch(async (error: unknown) => {
          await this.#objects.remove(key)
          throw error
        })
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

  close(): Promise<void> {
    this.#buffer = []
    this.#buffered = 0
    return this.#inFlight ?? Promise.resolve()
  }

  async #completeSingle(): Promise<void> {
    const { id } = this.#state.draft
    if (this.#ledger.unrecorded) {
      const key = objectKeys.single(id, newToken())
      const record = await this.#ledger.singleRecord(key)
      const encoded = Buffer.from(JSON.stringify(record)).toString('base64')
      if (encoded.length <= MAX_RECORD_METADATA_BYTES) {
        await this.#s3.put(key, this.#joined(), { [RECORD_METADATA_KEY]: encoded })
        await this.#ledger.complete({ kind: 'single', record })
        return
      }
    }
    const key = `${this.#key}-${newToken()}`
    await this.#s3.put(key, this.#joined())
    await this.#ledger.complete({ kind: 'object', key })
  }

  async #completeMultipart(multipartId: string): Promise<void> {
    if (this.#buffered > 0) {
      const { part } = await this.#send(this.#take(this.#buffered))
      this.#committed.push(part)
    }
    await this.#ledger.complete({
      kind: 'multipart',
      key: this.#key,
      multipartId,
      partBytes: this.#partBytes,
      parts: this.#committed,
    })
  }

  async #sendWhole(body: Buffer): Promise<void> {
    const { part, multipartId } = await this.#send(body)
    await this.#ledger.advance(part.offset + part.bytes, {
      multipartId,
      parts: [part],
      tailKey: null,
      clearInFlight: true,
    })
    this.#committed.push(part)
    this.durable = part.offset + part.bytes
    await this.#replaceTail(null)
  }

  async #send(body: Buffer): Promise<{ part: StoredPart; multipartId: string }> {
    const offset = this.#begin - body.length
    const number = Math.round(offset / this.#partBytes) + 1
    this.#multipartId ??= await this.#s3.start(this.#key)
    const multipartId = this.#multipartId
    await this.#outwait(number)
    await this.#ledger.markInFlight(number)
    const etag = await this.#s3.send(this.#key, multipartId, number, body)
    return { part: { number, offset, bytes: body.length, etag }, multipartId }
  }

  /** A part that a lost holder may still be sending is not sent again before that one's time is up. */
  async #outwait(number: number): Promise<void> {
    const [inFlight, since] = (this.#state.inFlight ?? '').split(':').map(Number)
    if (inFlight !== number || since === undefined) return
    const waitMs = since + IN_FLIGHT_MS - Date.now()
    if (waitMs > 0) await delay(waitMs)
    this.#state.inFlight = null
  }

  /** Cuts the first `bytes` off the buffer, as one piece. */
  #take(bytes: number): Buffer {
    const taken: Buffer[] = []
    let left = bytes
    while (left > 0) {
      const chunk = this.#buffer[0]
      if (chunk === undefined) throw new Error('took more than was buffered')
      if (chunk.length <= left) {
        taken.push(chunk)
        this.#buffer.shift()
        left -= chunk.length
      } else {
        taken.push(chunk.subarray(0, left))
        this.#buffer[0] = chunk.subarray(left)
        left = 0
      }
    }
    this.#begin += bytes
    this.#buffered -= bytes
    return Buffer.concat(taken, bytes)
  }

  #joined(): Buffer {
    return Buffer.concat(this.#buffer, this.#buffered)
  }

  #begunMultipart(): { multipartId?: string } {
    return this.#multipartId === null ? {} : { multipartId: this.#multipartId }
  }

  /** The tail before is removed only now that its bytes are stored elsewhere. */
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
