// The S3 part that is filling: in memory as a rule, its beginning in the spool when memory is short, or in the tail
// object when the spool is full too.

import type { ByteBudget } from '../budget.ts'
import type { Spool, SpoolFile } from './spool.ts'

/** Bytes on their way to the store; `release` says that they are there, or will not be. */
export type PartBytes = { chunks: Buffer[]; bytes: number; release: () => void }

export class PartBuffer {
  readonly #budget: ByteBudget
  readonly #spool: Spool
  #stored = 0
  #file: SpoolFile | undefined
  #chunks: Buffer[] = []
  #inMemory = 0

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

  /** The first `bytes` are in the tail object; they are fetched when the part is put together. */
  beginWithTail(bytes: number): void {
    this.#stored = bytes
  }

  /** Chunks that the budget has been charged for already. */
  append(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#inMemory += chunk.length
  }

  /** Moves what is in memory to the spool. False: the spool is full. */
  async spill(): Promise<boolean> {
    if (this.#inMemory === 0) return true
    if (!this.#spool.reserve(this.#inMemory)) return false
    this.#file ??= this.#spool.create()
    await this.#file.append(this.#chunks, this.#inMemory)
    this.#dropMemory()
    return true
  }

  /** Everything so far is in the tail object: memory and spool are free again. */
  async forget(): Promise<void> {
    this.#stored = this.bytes
    this.#dropMemory()
    await this.#file?.remove()
    this.#file = undefined
  }

  /** Takes the buffer's bytes out, in order. The account stays charged until they are released. */
  async take(fetchTail: () => Promise<Buffer>): Promise<PartBytes> {
    const inMemory = this.#inMemory
    const { chunks, bytes, release } = await this.peek(fetchTail)
    this.#stored = 0
    this.#chunks = []
    this.#inMemory = 0
    await this.#file?.remove()
    this.#file = undefined
    return {
      chunks,
      bytes,
      release: () => {
        release()
        this.#budget.give(inMemory)
      },
    }
  }

  /** The same without emptying: for a tail. */
  async peek(fetchTail: () => Promise<Buffer>): Promise<PartBytes> {
    const { bytes } = this
    const elsewhere = bytes - this.#inMemory
    const release = elsewhere === 0 ? () => undefined : await this.#budget.borrow(elsewhere)
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
    this.#budget.give(this.#inMemory)
    this.#chunks = []
    this.#inMemory = 0
  }
}
