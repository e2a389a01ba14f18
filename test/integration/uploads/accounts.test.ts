// Whatever is taken is given back: memory, disk of the spool and slabs, over every sink, every end of a body and every
// failure of what lies beneath, many requests at a time over one account.

import { constants } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import type { UploadSession } from '../../../src/records/upload-session.ts'
import { openFd } from '../../../src/storage/fd.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { CheckedSink } from '../../../src/uploads/checksum.ts'
import { Receiver } from '../../../src/uploads/receive.ts'
import { SLAB_BYTES, type Slab } from '../../../src/uploads/slabs.ts'
import { LocalSink } from '../../../src/uploads/stores/local-sink.ts'
import type { Ledger, Sink } from '../../../src/uploads/stores/port.ts'
import type { S3Parts } from '../../../src/uploads/stores/s3-parts.ts'
import { S3Sink } from '../../../src/uploads/stores/s3-sink.ts'
import { Spool } from '../../../src/uploads/stores/spool.ts'

const SEQUENCES = 100_000
const AT_ONCE = 500
const KIB = 1024
/** Small, so that most requests meet an account that is used up. */
const BUDGET_BYTES = 512 * KIB
const SPOOL_BYTES = 256 * KIB
const PART_BYTES = 64 * KIB
const BYTES = Buffer.alloc(512 * KIB, 'x')

/** Reproducible: a failure names its seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

class Body extends Readable {
  override _read(): void {
    // pushed by the test
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

let dir: string
let budget: ByteBudget
let spool: Spool

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-accounts-'))
  spool = new Spool(join(dir, String(process.pid)), SPOOL_BYTES)
  await spool.start()
  budget = new ByteBudget(BUDGET_BYTES, { receiveBudget: { set: () => undefined } })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

/** Every call beneath may take a turn or two, and may fail. */
function troubled(random: () => number, failing: number) {
  return async (): Promise<void> => {
    for (let turns = Math.floor(random() * 3); turns > 0; turns--) await turn()
    if (random() < failing) throw new AppError(random() < 0.5 ? 'STORE_UNAVAILABLE' : 'UPLOAD_TAKEN_OVER')
  }
}

function ledgerOf(trouble: () => Promise<void>): Ledger {
  return {
    advance: trouble,
    markInFlight: trouble,
    complete: trouble,
    parts: () => Promise.resolve([]),
    unrecorded: false,
    singleRecord: () => Promise.reject(new Error('not asked for')),
  }
}

async function sinkOf(random: () => number, trouble: () => Promise<void>, size: number): Promise<Sink> {
  const ledger = ledgerOf(trouble)
  const state = {
    draft: { id: 'a'.repeat(52) },
    size,
    offset: 0,
    multipartId: null,
    partBytes: PART_BYTES,
    tailKey: null,
    inFlight: null,
  } as unknown as UploadSession
  if (random() < 0.1) {
    // A descriptor that cannot be written to stands for a disk that fails.
    const flags = random() < 0.2 ? constants.O_RDONLY : constants.O_WRONLY
    const fd = await openFd(join(dir, 'data'), flags | constants.O_CREAT)
    return new LocalSink({ fd, key: 'k', begin: 0, newFolder: undefined, pieces: [], state, ledger, budget })
  }
  const parts = {
    start: async () => {
      await trouble()
      return 'multipart'
    },
    send: async () => {
      await trouble()
      return { etag: 'e' }
    },
    put: trouble,
  } as unknown as S3Parts
  const objects = {
    readAt: async (_key: string, _from: number, bytes: number) => {
      await trouble()
      return BYTES.subarray(0, bytes)
    },
    remove: trouble,
  } as unknown as ObjectStore
  return new S3Sink({ parts, objects, state, ledger, budget, spool, committed: [] })
}

/** One request, from its first byte to the closing of its sink. */
async function request(seed: number): Promise<void> {
  const random = randomOf(seed)
  const size = Math.floor(random() * 200 * KIB)
  const trouble = troubled(random, random() < 0.5 ? 0 : 0.15)
  const inner = await sinkOf(random, trouble, size)
  const digest = Buffer.alloc(4)
  const checked = random() < 0.3
  const sink = checked ? new CheckedSink(inner, { algorithm: 'crc32c', digest }, { budget, spool }) : inner
  const body = new Body()
  body.on('error', () => undefined)
  const receiver = new Receiver(body as unknown as IncomingMessage, sink, {
    limitBytes: size,
    idleTimeoutMs: 20,
    budget,
    readsSockets: false,
    onBytes: () => undefined,
    checkpoint: () => sink.flush(),
    ...(random() < 0.2 ? { sniff: sniffer(random) } : {}),
  })
  const run = receiver.run()
  // It may fail while the client is still sending; what it failed with is looked at below.
  run.catch(() => undefined)
  const others: Promise<unknown>[] = []
  // Some come in memory that is used again.
  const slab = random() < 0.5 ? budget.slabs.take() : undefined
  /** Chunks that the receiver was not given. */
  const unread = new Set<Buffer>()
  body.on('data', (chunk: Buffer) => unread.delete(chunk))
  let sent = 0
  while (sent < size && random() < 0.9) {
    const bytes = Math.min(1 + Math.floor(random() ** 3 * 256 * KIB), size - sent + (random() < 0.01 ? 1 : 0))
    const chunk = slab === undefined ? BYTES.subarray(0, bytes) : piece(slab, bytes)
    unread.add(chunk)
    body.push(chunk)
    sent += bytes
    if (random() < 0.5) await turn()
    if (random() < 0.1) others.push(receiver.between(() => sink.flush()).catch(() => undefined))
    if (random() < 0.02) others.push(random() < 0.5 ? receiver.stop() : receiver.leave())
  }
  // A client that only falls silent is cut by the idle time-out.
  if (random() < 0.97) {
    if (random() < 0.5) body.push(null)
    else body.destroy(random() < 0.5 ? new Error('reset') : undefined)
  }
  if (slab !== undefined) budget.slabs.close(slab)
  try {
    const end = await run
    if (end === 'complete' && sink instanceof CheckedSink && random() < 0.9) await sink.verify()
    if (sink.position === size && random() < 0.8) await sink.complete()
    else await sink.flush()
  } catch (error) {
    if (!(error instanceof AppError) && !/EBADF|EINVAL/.test(String(error))) throw error
  } finally {
    await sink.close()
  }
  await Promise.all(others)
  budget.slabs.giveBack([...unread])
}

/** At most as many bytes as the slab has room for. */
function piece(slab: Slab, bytes: number): Buffer {
  return budget.slabs.lend(slab, Math.min(bytes, SLAB_BYTES - slab.filled))
}

const sniffer = (random: () => number) => (start: Buffer, whole: boolean) => {
  if (start.length < 2048 && !whole) return false
  if (random() < 0.3) throw new AppError('UPLOAD_TYPE_NOT_ALLOWED')
  return true
}

test(`${SEQUENCES} random requests: all reserved memory is released in the end`, async () => {
  for (let first = 0; first < SEQUENCES; first += AT_ONCE) {
    const seeds = Array.from({ length: Math.min(AT_ONCE, SEQUENCES - first) }, (_, i) => first + i)
    await Promise.all(
      seeds.map((seed) =>
        request(seed).catch((cause: unknown) => {
          throw new Error(`sequence ${seed}`, { cause })
        }),
      ),
    )
    const left = { budget: budget.used, spool: spool.used, slabs: budget.slabs.bytes }
    if (left.budget !== 0 || left.spool !== 0 || left.slabs !== 0)
      expect(left, `after sequences ${first} to ${first + seeds.length - 1}`).toEqual({
        budget: 0,
        spool: 0,
        slabs: 0,
      })
  }
  expect(await readdir(join(dir, String(process.pid)))).toEqual([])
}, 1_200_000)
