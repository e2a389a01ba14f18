// The S3 part that is filling: in memory, in the spool, in a tail, and always the same bytes.

import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { PartBuffer } from '../../../src/uploads/stores/part-buffer.ts'
import { Spool } from '../../../src/uploads/stores/spool.ts'

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
  budget = new ByteBudget(1e6, { receiveBudget: { set: () => undefined } as never })
  buffer = new PartBuffer(budget, spool)
}

const append = (text: string) => {
  budget.take(text.length)
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
  expect(Buffer.concat(await buffer.peek(fetchTail)).toString()).toBe('123456789abc')
  expect(buffer.bytes).toBe(12)
  expect(Buffer.concat(await buffer.take(fetchTail)).toString()).toBe('123456789abc')
  expect(buffer.bytes).toBe(0)
  expect(await spooled()).toEqual([])
})

test('the account: what is spooled is given back, what is taken is charged until its sender gives it back', async () => {
  append('12345')
  expect(budget.used).toBe(5)
  await buffer.spill()
  expect(budget.used).toBe(0)
  append('678')
  const taken = Buffer.concat(await buffer.take(noTail))
  expect(budget.used).toBe(8)
  budget.give(taken.length)
  expect(budget.used).toBe(0)
})

test('a spool that is full takes nothing; what is removed makes room', async () => {
  await open(6)
  append('1234')
  expect(await buffer.spill()).toBe(true)
  append('567')
  expect(await buffer.spill()).toBe(false)
  expect(Buffer.concat(await buffer.peek(noTail)).toString()).toBe('1234567')
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
