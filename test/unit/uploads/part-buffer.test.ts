// The S3 part that is filling: in memory, in the spool, in a tail, and always the same bytes.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { PartBuffer } from '../../../src/uploads/stores/part-buffer.ts'
import { SLAB_BYTES, Slabs } from '../../../src/uploads/stores/slabs.ts'
import { Spool } from '../../../src/uploads/stores/spool.ts'

let dir: string
let spool: Spool
let budget: ByteBudget
let buffer: PartBuffer
let slabs: Slabs

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-part-'))
  await open(1000)
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function open(maxBytes: number): Promise<void> {
  spool = new Spool(join(dir, String(process.pid)), maxBytes)
  await spool.start()
  budget = new ByteBudget(1e6, { receiveBudget: { set: () => undefined } as never })
  slabs = new Slabs()
  buffer = new PartBuffer(budget, spool, slabs)
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
  budget = new ByteBudget(8, { receiveBudget: { set: () => undefined } as never })
  const [first, second, third] = [0, 1, 2].map(() => new PartBuffer(budget, spool, slabs))
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

const letters = (length: number, letter: string) => Buffer.alloc(length, letter)
const appendCopy = (bytes: Buffer) => {
  budget.reserve(bytes.length)
  buffer.appendCopy(bytes)
}

test('what is copied keeps its order beside what is kept as it came, over the edges of slabs', async () => {
  const pieces = [
    letters(10, 'a'),
    letters(SLAB_BYTES, 'b'),
    letters(5, 'c'),
    letters(2 * SLAB_BYTES + 7, 'd'),
    letters(3, 'e'),
  ]
  for (const [n, piece] of pieces.entries()) {
    if (n === 2) {
      budget.reserve(piece.length)
      buffer.append(piece)
    } else appendCopy(piece)
  }
  const expected = Buffer.concat(pieces)
  // The socket's memory is used for something else meanwhile.
  for (const [n, piece] of pieces.entries()) if (n !== 2) piece.fill('x')
  const taken = await buffer.take(noTail)
  expect(taken.bytes).toBe(expected.length)
  expect(Buffer.concat(taken.chunks).equals(expected)).toBe(true)
  taken.release()
  expect(budget.used).toBe(0)
})

test('a slab is used again when its part has been sent, and never before', async () => {
  appendCopy(letters(SLAB_BYTES, 'a'))
  const first = await buffer.take(noTail)
  appendCopy(letters(SLAB_BYTES, 'b'))
  const second = await buffer.take(noTail)
  expect(Buffer.concat(first.chunks).equals(letters(SLAB_BYTES, 'a'))).toBe(true)
  first.release()
  first.release()
  appendCopy(letters(SLAB_BYTES, 'c'))
  appendCopy(letters(SLAB_BYTES, 'd'))
  const third = await buffer.take(noTail)
  expect(third.chunks[0]?.buffer).toBe(first.chunks[0]?.buffer)
  const bytes = Buffer.concat([...second.chunks, ...third.chunks])
  expect(bytes.equals(Buffer.concat(['b', 'c', 'd'].map((letter) => letters(SLAB_BYTES, letter))))).toBe(true)
})

test('slabs are worth their copies for more than one upload', () => {
  const leave = slabs.enter()
  expect(slabs.worthwhile).toBe(false)
  const leaveToo = slabs.enter()
  expect(slabs.worthwhile).toBe(true)
  leave()
  expect(slabs.worthwhile).toBe(false)
  leaveToo()
})
