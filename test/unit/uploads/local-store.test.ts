// The local store's promises: bytes reach the disk before anybody is told, and what the files say after a crash.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { newUploadSession } from '../../../src/records/upload-session.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { LocalUploadStore } from '../../../src/uploads/stores/local.ts'
import type { Ledger } from '../../../src/uploads/stores/port.ts'
import { draftFor } from '../../support/drafts.ts'

const log = vi.hoisted(() => [] as string[])

vi.mock('../../../src/storage/fd.ts', async (original) => {
  const real = await original<typeof import('../../../src/storage/fd.ts')>()
  return {
    ...real,
    dataSyncFd: async (fd: number) => {
      await real.dataSyncFd(fd)
      log.push('data on disk')
    },
    syncDirectory: async (path: string) => {
      await real.syncDirectory(path)
      log.push('name on disk')
    },
  }
})

let dir: string
let store: LocalObjectStore
let uploads: LocalUploadStore
let draft: UploadDraft

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-local-'))
  store = new LocalObjectStore(dir)
  uploads = new LocalUploadStore(store, new ByteBudget(1e9, { receiveBudget: { set: () => undefined } }))
  draft = draftFor('s1')
  log.length = 0
})
afterEach(() => rm(dir, { recursive: true, force: true }))

function ledger(unrecorded: boolean): Ledger {
  return {
    advance: (offset) => void log.push(`told ${offset}`) as unknown as Promise<void>,
    markInFlight: () => Promise.resolve(),
    complete: () => void log.push('told all') as unknown as Promise<void>,
    unrecorded,
    parts: () => Promise.resolve([]),
    singleRecord: () => Promise.reject(new Error('not here')),
  }
}

const open = (offset: number, unrecorded = false) =>
  uploads.open(
    { ...newUploadSession(draft, { size: 30, expiresAtMs: 0, partBytes: 0, holder: null }), offset },
    ledger(unrecorded),
  )

test('bytes are acknowledged only after they, and the name of their file, are on the disk', async () => {
  const sink = await open(0)
  await sink.write([Buffer.from('0123456789')], 10)
  expect(log).not.toContain('told 10')
  log.length = 0
  await sink.flush()
  expect(log).toEqual(['data on disk', 'name on disk', 'told 10'])
  expect(sink.durable).toBe(10)
  await sink.write([Buffer.from('abcdefghij'), Buffer.from('klmnopqrst')], 20)
  log.length = 0
  await sink.complete()
  expect(log).toEqual(['data on disk', 'told all'])
  await sink.close()
  expect((await readFile(store.path(objectKeys.data(draft.id)))).toString()).toBe('0123456789abcdefghijklmnopqrst')
})

test('a flush without new bytes reports nothing', async () => {
  const sink = await open(0)
  await sink.write([Buffer.from('0123456789')], 10)
  await sink.flush()
  log.length = 0
  await sink.flush()
  expect(log).toEqual([])
  await sink.close()
})

const known = { multipartId: null, partBytes: 0, formerHolder: null }

test('after a crash the file’s length counts, and is synced before it is reported', async () => {
  const sink = await open(0)
  await sink.write([Buffer.from('0123456789')], 10)
  await sink.close()
  log.length = 0
  expect(await uploads.recover(draft, known)).toMatchObject({ offset: 10, parts: [], tailKey: null })
  expect(log).toContain('data on disk')
})

test('an upload without a file has offset 0', async () => {
  expect(await uploads.recover(draft, known)).toMatchObject({ offset: 0, parts: [] })
})

test('after a holder that may still write, the next one uses a new segment; late bytes do not count', async () => {
  const late = await open(0)
  await late.write([Buffer.from('0123456789')], 10)
  const alive = { ...known, formerHolder: `${process.pid}-channel` }
  const recovered = await uploads.recover(draft, alive)
  expect(recovered).toMatchObject({ offset: 10, parts: [{ number: 1, offset: 0, bytes: 10 }] })
  expect(recovered.tailKey).not.toBeNull()
  await late.write([Buffer.from('LATE')], 4)
  await late.close()
  expect(await uploads.recover(draft, known)).toMatchObject({
    offset: 10,
    tailKey: recovered.tailKey,
    parts: [{ number: 1, offset: 0, bytes: 10 }],
  })
})

test('discard leaves no byte', async () => {
  const sink = await open(0)
  await sink.write([Buffer.from('0123456789')], 10)
  await sink.close()
  await uploads.recover(draft, { ...known, formerHolder: `${process.pid}-channel` })
  await uploads.discard(draft.id)
  expect(await uploads.recover(draft, known)).toMatchObject({ offset: 0, parts: [] })
})

test('processes that start at the same time do not delete each other’s probe files', async () => {
  // Spread a little, so that some end while others are in the middle.
  const starter = async (n: number) => {
    await delay(n % 5)
    for (let round = 0; round < 10; round++) await store.probe()
  }
  await Promise.all(Array.from({ length: 16 }, (_, n) => starter(n)))
  expect(await readdir(join(dir, 'store', 'probe'))).toEqual([])
})
