// tus checksum extension: "If a Client includes the Upload-Checksum header, the Server MUST verify the chunk's checksum
// … If the check fails the Server MUST respond with the status 460 Checksum Mismatch, and the Server MUST discard the
// data". So such a body counts whole or not at all: it is held back until it is known to be right.

import { createHash, timingSafeEqual } from 'node:crypto'
import { crc32c } from '../core/crc32c.ts'
import { AppError } from '../core/errors.ts'
import type { ByteBudget } from './budget.ts'
import type { Sink } from './stores/port.ts'

export const CHECKSUM_ALGORITHMS = ['sha1', 'sha256', 'crc32c'] as const
/** A body that is held back is held in memory. */
export const MAX_CHECKED_BYTES = 64 * 1024 * 1024

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

/** A sink in front of the real one that lets nothing through before `verify`. */
export class CheckedSink implements Sink {
  readonly #inner: Sink
  readonly #budget: ByteBudget
  readonly #expected: Buffer
  readonly #hasher: Hasher
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(inner: Sink, { algorithm, digest }: Checksum, budget: ByteBudget) {
    this.#inner = inner
    this.#budget = budget
    this.#expected = digest
    this.#hasher = hasherFor(algorithm)
  }

  get position(): number {
    return this.#inner.position + this.#bytes
  }

  get durable(): number {
    return this.#inner.durable
  }

  write(chunks: Buffer[], bytes: number): Promise<void> {
    for (const chunk of chunks) this.#hasher.update(chunk)
    this.#chunks.push(...chunks)
    this.#bytes += bytes
    return Promise.resolve()
  }

  /** The body is whole: compares, and hands it on. Throws CHECKSUM_MISMATCH. */
  async verify(): Promise<void> {
    const actual = this.#hasher.digest()
    if (!timingSafeEqual(actual, this.#expected)) throw new AppError('CHECKSUM_MISMATCH')
    const chunks = this.#chunks
    const bytes = this.#bytes
    this.#chunks = []
    this.#bytes = 0
    if (bytes > 0) await this.#inner.write(chunks, bytes)
  }

  /** What is not verified yet is not durable and is not counted. */
  async flush(): Promise<void> {
    await this.#inner.flush()
  }

  async complete(): Promise<void> {
    await this.#inner.complete()
  }

  async close(): Promise<void> {
    this.#budget.release(this.#bytes)
    this.#chunks = []
    this.#bytes = 0
    await this.#inner.close()
  }
}
