// The S3 part that is filling: in memory, in the spool, in a tail, and always the same bytes.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { SLAB_BYTES, type Slab } from '../../../src/uploads/slabs.ts'
import { PartBuffer } from '../../../src/uploads/stores/part-buffer.ts'
import { Spool } from '../../../src/uploads/stores/spool.ts'
import { noise } from '../../support/bytes.ts'

let dir: string
let spool: Spool
let budget: ByteBudget
let buffer: PartBuffer

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-part-'))
  await open(1000)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function open(maxBytes: number): Promise<void> {
  spool = new Spool(join(dir, String(process.pid)), maxBytes)
  await spool.start()
  budget = new ByteBudget(1e7, { receiveBudget: { set: () => undefined } })
  buffer = new PartBuffer(budget, spool)
}

const append = (text: string) => {
  budget.reserve(text.length)
  buffer.append(Buffer.from(text))
}
const noTail = () => Promise.reject(new Error('there is no tail'))
const spooled = () => readdir(join(dir, String(process.pid)))

test('memory, spool and tail give their bytes in order', async () => {
  buffer.beginWithTail(4)
  append('5678')
  expect(await buffer.spill()).toBe(true)
  append('9')
  expect(await buffer.spill()).toBe(true)
  append('abc')
  expect(buffer.bytes).toBe(12)
  const fetchTail = () => Promise.resolve(Buffer.from('1234 and what does not count'))
  const seen = await buffer.peek(fetchTail)
  expect(Buffer.concat(seen.chunks).toString()).toBe('123456789abc')
  seen.release()
  expect(buffer.bytes).toBe(12)
  expect(Buffer.concat((await buffer.take(fetchTail)).chunks).toString()).toBe('123456789abc')
  expect(buffer.bytes).toBe(0)
  expect(await spooled()).toEqual([])
})

test('the account: what is spooled is given back, what is taken is charged until its sender gives it back', async () => {
  append('12345')
  expect(budget.used).toBe(5)
  await buffer.spill()
  expect(budget.used).toBe(0)
  append('678')
  const taken = await buffer.take(noTail)
  expect({ bytes: taken.bytes, used: budget.used }).toEqual({ bytes: 8, used: 8 })
  taken.release()
  expect(budget.used).toBe(0)
})

test('what was spooled comes back into memory in turn, and a failure ends the turn', async () => {
  budget = new ByteBudget(8, { receiveBudget: { set: () => undefined } })
  const [first, second, third] = [0, 1, 2].map(() => new PartBuffer(budget, spool))
  if (first === undefined || second === undefined || third === undefined) throw new Error('no buffers')
  for (const one of [first, second]) {
    budget.reserve(6)
    one.append(Buffer.from('123456'))
    await one.spill()
  }
  third.beginWithTail(3)
  const taken = await first.take(noTail)
  const failing = third.peek(noTail)
  let waited = true
  const waiting = second.take(noTail).then((bytes) => {
    waited = false
    return bytes
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect({ waited, used: budget.used }).toEqual({ waited: true, used: 6 })
  taken.release()
  await expect(failing).rejects.toThrow('there is no tail')
  const { release } = await waiting
  expect(budget.used).toBe(6)
  release()
  release()
  expect(budget.used).toBe(0)
})

test('a spool that is full takes nothing; what is removed makes room', async () => {
  await open(6)
  append('1234')
  expect(await buffer.spill()).toBe(true)
  append('567')
  expect(await buffer.spill()).toBe(false)
  const seen = await buffer.peek(noTail)
  expect(Buffer.concat(seen.chunks).toString()).toBe('1234567')
  seen.release()
  await buffer.forget()
  expect(buffer.bytes).toBe(7)
  expect(budget.used).toBe(0)
  append('89')
  expect(await buffer.spill()).toBe(true)
})

test('a buffer that is closed leaves nothing behind, on disk or in the account', async () => {
  append('1234')
  await buffer.spill()
  append('56')
  await buffer.close()
  expect(budget.used).toBe(0)
  expect(await spooled()).toEqual([])
  expect(spool.reserve(1000)).toBe(true)
})

test('start empties what a dead process left, and leaves alone what a living one has', async () => {
  const { mkdir, writeFile } = await import('node:fs/promises')
  for (const name of ['1', '99999999', String(process.ppid)]) {
    await mkdir(join(dir, name), { recursive: true })
    await writeFile(join(dir, name, 'left'), 'x')
  }
  await spool.start()
  expect((await readdir(dir)).sort()).toEqual(['1', String(process.pid), String(process.ppid)].sort())
})

function takeSlab(): Slab {
  const slab = budget.takeSlab()
  if (slab === undefined) throw new Error('no slab')
  return slab
}

const LARGE_BYTES = SLAB_BYTES / 4

/** As the socket reader gives it: memory of a slab, so much that it is not copied. */
function appendFromSlab(slab: Slab, letter: string): void {
  const chunk = budget.slabs.lend(slab, LARGE_BYTES)
  chunk.fill(letter)
  budget.reserve(chunk.length)
  buffer.append(chunk)
}

test('a slab is used again when all its parts have been sent, and never before', async () => {
  const slab = takeSlab()
  appendFromSlab(slab, 'a')
  const first = await buffer.take(noTail)
  appendFromSlab(slab, 'b')
  budget.slabs.close(slab)
  const second = await buffer.take(noTail)
  first.release()
  first.release()
  const other = takeSlab()
  expect(other).not.toBe(slab)
  expect(Buffer.concat(second.chunks).toString()).toBe('b'.repeat(LARGE_BYTES))
  second.release()
  expect(takeSlab()).toBe(slab)
})

test('bytes that arrive one by one need little more memory than they are, and keep no slab', async () => {
  const bytes = noise(10_000, 'one by one')
  for (let at = 0; at < bytes.length; at++) {
    budget.reserve(1)
    buffer.append(budget.slabs.copy(bytes.subarray(at, at + 1)))
    // Another client's byte lies between.
    budget.slabs.giveBack([budget.slabs.copy(Buffer.of(0))])
  }
  expect(budget.slabs.bytes).toBe(0)
  const { chunks } = await buffer.take(noTail)
  expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  const memories = new Set(chunks.map((chunk) => chunk.buffer))
  const memoryBytes = [...memories].reduce((sum, memory) => sum + memory.byteLength, 0)
  expect(chunks.length).toBeLessThan(20)
  expect(memoryBytes).toBeLessThanOrEqual(2 * bytes.length)
})

test.each([
  ['spilled', () => buffer.spill()],
  ['stored elsewhere', () => buffer.forget()],
  ['closed', () => buffer.close()],
])('memory of a buffer that is %s is free', async (_how, end) => {
  await open(LARGE_BYTES)
  const slab = takeSlab()
  appendFromSlab(slab, 'a')
  budget.slabs.close(slab)
  await end()
  expect({ slabs: budget.slabs.bytes, used: budget.used }).toEqual({ slabs: 0, used: 0 })
})
