// The uploads of the reference server: bytes in memory, and what HEAD says of them.
import { randomBytes } from 'node:crypto'

export interface Concat {
  /** Upload-Concat as it was sent. */
  readonly header: string
  /** The parts of a final upload; undefined for a partial one. */
  readonly parts?: readonly MemoryUpload[]
}

/** Whoever writes to the upload now; `cut` ends that request. */
export interface Writer {
  cut(): void
}

export class MemoryUpload {
  readonly id: string
  readonly metadata: string | undefined
  readonly concat: Concat | undefined
  readonly expiresAtMs: number
  writer: Writer | undefined
  #length: number | undefined
  #bytes: Buffer = Buffer.alloc(0)

  constructor(init: {
    readonly length: number | undefined
    readonly metadata?: string | undefined
    readonly concat?: Concat | undefined
    readonly expiresAtMs: number
    readonly id?: string | undefined
  }) {
    this.id = init.id ?? randomBytes(16).toString('hex')
    this.metadata = init.metadata
    this.concat = init.concat
    this.expiresAtMs = init.expiresAtMs
    this.#length = init.length
  }

  /** Undefined while it is deferred, or the length of a part is. */
  get length(): number | undefined {
    const parts = this.concat?.parts
    if (!parts) return this.#length
    return parts.reduce<number | undefined>(
      (sum, part) => (sum === undefined || part.length === undefined ? undefined : sum + part.length),
      0,
    )
  }

  set length(bytes: number | undefined) {
    this.#length = bytes
  }

  /** Undefined for a final upload that is not joined yet. */
  get offset(): number | undefined {
    const parts = this.concat?.parts
    if (!parts) return this.#bytes.length
    return parts.every((part) => part.complete) ? this.length : undefined
  }

  get complete(): boolean {
    return this.length !== undefined && this.offset === this.length
  }

  get bytes(): Buffer {
    return this.concat?.parts ? Buffer.concat(this.concat.parts.map((part) => part.bytes)) : this.#bytes
  }

  append(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data])
  }

  /** Drops what lies beyond `offset`. */
  truncate(offset: number): void {
    this.#bytes = this.#bytes.subarray(0, offset)
  }

  /** For faults: changes bytes that are there already. */
  overwrite(at: number, data: Buffer): void {
    const copy = Buffer.from(this.#bytes)
    data.copy(copy, Math.min(at, copy.length))
    this.#bytes = copy
  }
}
