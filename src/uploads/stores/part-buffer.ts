// Buffer of the S3 part that is being filled: normally in memory; its beginning is in the spool if memory is short, or in a tail
// object if the spool is full too.

import type { ByteBudget } from '../budget.ts'
import { addChunk } from '../slabs.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** Smaller chunks are copied together: each costs 270 bytes beside its own, and a part may be millions of them. */
const SMALL_BYTES = 4 * 1024
/** Memory that they are copied to: so much at once, less while the buffer is small. */
const BLOCK_BYTES = 16 * 1024
const NOTHING = Buffer.alloc(0)

/** The bytes of a part; `release` is called when they are stored or dropped. */
export type PartBytes = { chunks: Buffer[]; bytes: number; release: () => void }

export class PartBuffer {
  readonly #budget: ByteBudget
  readonly #spool: Spool
  #stored = 0
  #file: SpoolFile | undefined
  /** In order. */
  #chunks: Buffer[] = []
  #inMemory = 0
  /** Free memory behind the small chunk that was copied last. */
  #room: Buffer = NOTHING

  constructor(budget: ByteBudget, spool: Spool) {
    this.#budget = budget
    this.#spool = spool
  }

  get inMemory(): number {
    return this.#inMemory
  }

  get bytes(): number {
    return this.#stored + (this.#file?.bytes ?? 0) + this.#inMemory
  }

  /** The first `bytes` are in the tail object; they are fetched when the part is assembled. */
  beginWithTail(bytes: number): void {
    this.#stored = bytes
  }

  /** Appends a chunk that is already reserved in the budget. A slow client's part may take hours to fill. */
  append(chunk: Buffer): void {
    if (chunk.length < SMALL_BYTES) this.#appendCopy(chunk)
    else this.#chunks.push(this.#budget.slabs.kept(chunk))
    this.#inMemory += chunk.length
  }

  #appendCopy(chunk: Buffer): void {
    if (chunk.length > this.#room.length)
      this.#room = Buffer.allocUnsafeSlow(Math.max(chunk.length, Math.min(BLOCK_BYTES, this.#inMemory)))
    chunk.copy(this.#room)
    addChunk(this.#chunks, this.#room.subarray(0, chunk.length))
    this.#room = this.#room.subarray(chunk.length)
    this.#budget.slabs.giveBack([chunk])
  }

  /** Moves the bytes in memory to the spool. False: the spool is full. */
  async spill(): Promise<boolean> {
    if (this.#inMemory === 0) return true
    this.#file ??= this.#spool.create()
    if (!(await this.#file.append(this.#chunks, this.#inMemory))) return false
    this.#dropMemory()
    return true
  }

  /** All bytes are in the tail object: frees memory and spool. */
  async forget(): Promise<void> {
    this.#stored = this.bytes
    this.#dropMemory()
    await this.#file?.remove()
    this.#file = undefined
  }

  /** Takes the bytes out of the buffer, in order. They stay reserved until released. */
  async take(fetchTail: () => Promise<Buffer>): Promise<PartBytes> {
    const inMemory = this.#inMemory
    const received = this.#chunks
    const loan = await this.peek(fetchTail)
    const file = this.#file
    this.#stored = 0
    this.#file = undefined
    this.#empty()
    const release = once(() => {
      loan.release()
      this.#budget.releaseChunks(received, inMemory)
    })
    try {
      await file?.remove()
    } catch (error) {
      // The caller does not get the bytes.
      release()
      throw error
    }
    return { chunks: loan.chunks, bytes: loan.bytes, release }
  }

  /** The same without emptying the buffer: for a tail. */
  async peek(fetchTail: () => Promise<Buffer>): Promise<PartBytes> {
    const { bytes } = this
    const elsewhere = bytes - this.#inMemory
    const release = elsewhere === 0 ? () => undefined : await this.#budget.reserveForReadback(elsewhere)
    try {
      return { chunks: await this.#read(fetchTail), bytes, release }
    } catch (error) {
      release()
      throw error
    }
  }

  async #read(fetchTail: () => Promise<Buffer>): Promise<Buffer[]> {
    const spooled = this.#file?.bytes ?? 0
    const pieces: Buffer[] = []
    if (this.#stored > 0) pieces.push((await fetchTail()).subarray(0, this.#stored))
    if (this.#file !== undefined && spooled > 0) {
      const beginning = Buffer.allocUnsafe(spooled)
      await this.#file.readInto(beginning)
      pieces.push(beginning)
    }
    return [...pieces, ...this.#chunks]
  }

  async close(): Promise<void> {
    this.#dropMemory()
    await this.#file?.remove()
  }

  #dropMemory(): void {
    this.#budget.releaseChunks(this.#chunks, this.#inMemory)
    this.#empty()
  }

  #empty(): void {
    this.#chunks = []
    this.#inMemory = 0
    this.#room = NOTHING
  }
}

/** Runs once: a second release would free slabs that are in use again. */
function once(work: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    work()
  }
}
