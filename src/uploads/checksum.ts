// tus checksum extension: "If a Client includes the Upload-Checksum header, the Server MUST verify the chunk's checksum
// … If the check fails the Server MUST respond with the status 460 Checksum Mismatch, and the Server MUST discard the
// data". So such a body counts completely or not at all. It is hashed while it arrives and kept in the spool until its sum
// is known.

import { createHash, timingSafeEqual } from 'node:crypto'
import { crc32c } from '../core/crc32c.ts'
import { AppError } from '../core/errors.ts'
import type { ByteBudget } from './budget.ts'
import { BATCH_BYTES } from './receive.ts'
import type { Sink } from './stores/port.ts'
import type { Spool, SpoolFile } from './stores/spool.ts'

export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256', 'crc32c'] as const
/** Limit, since the client waits while the body is copied to the store. */
export const MAX_CHECKED_BYTES = 64 * 1024 * 1024

const SPOOL_FULL_RETRY_SECONDS = 5

type Algorithm = (typeof CHECKSUM_ALGORITHMS)[number]
const DIGEST_BYTES: Record<Algorithm, number> = { sha1: 20, sha256: 32, crc32c: 4 }

export type Checksum = { algorithm: Algorithm; digest: Buffer }

/** Reads Upload-Checksum. Throws TUS_HEADER_INVALID, CHECKSUM_UNSUPPORTED. */
export function parseChecksum(header: string): Checksum {
  const [name = '', encoded = '', ...rest] = header.trim().split(' ')
  const invalid = () => new AppError('TUS_HEADER_INVALID', { details: { header: 'upload-checksum' } })
  if (rest.length > 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) throw invalid()
  const algorithm = CHECKSUM_ALGORITHMS.find((known) => known === name)
  if (algorithm === undefined)
    throw new AppError('CHECKSUM_UNSUPPORTED', {
      details: { supported: CHECKSUM_ALGORITHMS, actual: name.slice(0, 40) },
    })
  const digest = Buffer.from(encoded, 'base64')
  if (digest.length !== DIGEST_BYTES[algorithm]) throw invalid()
  return { algorithm, digest }
}

type Hasher = { update(chunk: Buffer): void; digest(): Buffer }

function hasherFor(algorithm: Algorithm): Hasher {
  if (algorithm !== 'crc32c') {
    const hash = createHash(algorithm)
    return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() }
  }
  let crc = 0
  return {
    update: (chunk) => {
      crc = crc32c(chunk, crc)
    },
    digest: () => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(crc)
      return bytes
    },
  }
}

/** A sink that passes nothing to the inner sink before `verify`. */
export class CheckedSink implements Sink {
  readonly #inner: Sink
  readonly #budget: ByteBudget
  readonly #expected: Buffer
  readonly #hasher: Hasher
  readonly #file: SpoolFile
  /** Bytes that are not yet passed on. */
  #heldBack = 0

  constructor(inner: Sink, { algorithm, digest }: Checksum, memory: { budget: ByteBudget; spool: Spool }) {
    this.#inner = inner
    this.#budget = memory.budget
    this.#file = memory.spool.create()
    this.#expected = digest
    this.#hasher = hasherFor(algorithm)
  }

  get position(): number {
    return this.#inner.position + this.#heldBack
  }

  get durable(): number {
    return this.#inner.durable
  }

  /** Throws UPLOAD_LOCKED if the spool is full: a waiting body would keep space that others need. */
  async write(chunks: Buffer[], bytes: number): Promise<void> {
    try {
      for (const chunk of chunks) this.#hasher.update(chunk)
      if (!(await this.#file.append(chunks, bytes)))
        throw new AppError('UPLOAD_LOCKED', { retryAfterSeconds: SPOOL_FULL_RETRY_SECONDS })
      this.#heldBack += bytes
    } finally {
      this.#budget.releaseChunks(chunks, bytes)
    }
  }

  /** The body is complete: verifies it and passes it on. Throws CHECKSUM_MISMATCH. */
  async verify(): Promise<void> {
    const actual = this.#hasher.digest()
    if (!timingSafeEqual(actual, this.#expected)) throw new AppError('CHECKSUM_MISMATCH')
    for (let at = 0; this.#heldBack > 0; ) {
      const batch = Buffer.allocUnsafe(Math.min(BATCH_BYTES, this.#heldBack))
      await this.#file.readInto(batch, at)
      at += batch.length
      this.#heldBack -= batch.length
      this.#budget.reserve(batch.length)
      await this.#inner.write([batch], batch.length)
    }
    await this.#file.remove()
  }

  /** Unverified bytes are not durable and not counted. */
  async flush(): Promise<void> {
    await this.#inner.flush()
  }

  async complete(): Promise<void> {
    await this.#inner.complete()
  }

  async close(): Promise<void> {
    await this.#file.remove().finally(() => this.#inner.close())
  }
}
