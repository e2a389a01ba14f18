// The one primitive that every record rests on: of any number of writers exactly one creates, and what it created stays.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { overBothStores, type TestStore } from './house.ts'

const WRITERS = 32

overBothStores((open) => {
  let place: TestStore

  beforeAll(async () => {
    place = await open()
  })
  afterAll(() => place.close())

  const key = () => `probe/${randomBytes(6).toString('hex')}/000001.json`

  test('of 32 writers at once exactly one wins, and its bytes are what everybody reads', async () => {
    const { store } = place
    for (let round = 0; round < 3; round++) {
      const name = key()
      const bodies = Array.from({ length: WRITERS }, (_, i) =>
        Buffer.from(`writer ${i} ${'x'.repeat(i * 50)}`),
      )
      const won = await Promise.all(bodies.map((body) => store.createIfAbsent(name, body)))
      expect(won.filter(Boolean)).toHaveLength(1)
      expect(await store.read(name)).toEqual(bodies[won.indexOf(true)])
    }
  })

  test('what exists is left as it is', async () => {
    const { store } = place
    const name = key()
    expect(await store.createIfAbsent(name, Buffer.from('first'))).toBe(true)
    expect(await store.createIfAbsent(name, Buffer.from('second'))).toBe(false)
    expect((await store.read(name))?.toString()).toBe('first')
  })

  test('a reader never sees half of it', async () => {
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

  test('the probe of start-up leaves nothing behind', async () => {
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
