// The one primitive that every record rests on: of any number of writers exactly one creates, and what it created stays.

import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { openStore, type TestStore } from '../../support/store.ts'

const WRITERS = 32

overBothStores((kind) => {
  let place: TestStore

  beforeAll(async () => {
    place = await openStore(kind)
  })
  afterAll(() => place.close())

  const key = () => `probe/${randomBytes(6).toString('hex')}/000001.json`

  test('of 32 concurrent writers exactly one succeeds, and every reader gets its bytes', async () => {
    const { store } = place
    for (let round = 0; round < 3; round++) {
      const name = key()
      const bodies = Array.from({ length: WRITERS }, (_, i) => Buffer.from(`writer ${i} ${'x'.repeat(i * 50)}`))
      const won = await Promise.all(bodies.map((body) => store.createIfAbsent(name, body)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await store.read(name)).toEqual(bodies[won.indexOf(true)])
    }
  })

  test('an existing object is not changed', async () => {
    const { store } = place
    const name = key()
    expect(await store.createIfAbsent(name, Buffer.from('first'))).toBe(true)
    expect(await store.createIfAbsent(name, Buffer.from('second'))).toBe(false)
    expect((await store.read(name))?.toString()).toBe('first')
  })

  test('a reader never gets a part of the object', async () => {
    const { store } = place
    const name = key()
    const body = randomBytes(400_000)
    let reading = true
    const seen: number[] = []
    const reader = (async () => {
      while (reading) {
        const found = await store.read(name)
        if (found !== undefined) seen.push(found.length)
      }
    })()
    await store.createIfAbsent(name, body)
    await store.read(name)
    reading = false
    await reader
    expect(new Set(seen.concat(body.length))).toEqual(new Set([body.length]))
  })

  test('the start-up check leaves no object', async () => {
    const { store } = place
    const before: string[] = []
    for await (const { key: name } of store.list('probe/')) before.push(name)
    await store.probe()
    const after: string[] = []
    for await (const { key: name } of store.list('probe/')) after.push(name)
    // The local store removes the folder as a whole.
    expect(after.filter((name) => !before.includes(name))).toEqual([])
  })
})

// Regression: a worker whose clock was ahead took what was just being written for what a crash had left behind.
test('on a disk it is created or fails in time, although other processes delete unfinished writes', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-swept-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const store = new LocalObjectStore(dir)
  let sweeping = true
  const sweeper = (async () => {
    while (sweeping) {
      const names = await readdir(join(dir, 'staging')).catch(() => [])
      for (const name of names) await rm(join(dir, 'staging', name), { force: true })
    }
  })()
  const ends = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) =>
      store.createIfAbsent(`${i}/deeper/and/deeper/000001.json`, Buffer.from('body')),
    ),
  )
  sweeping = false
  await sweeper
  for (const [i, end] of ends.entries()) {
    const found = (await store.read(`${i}/deeper/and/deeper/000001.json`))?.toString()
    expect(found).toBe(end.status === 'fulfilled' ? 'body' : undefined)
  }
})
