// Memory that is used again: never while somebody still reads it, and always when nobody does.

import { beforeEach, expect, test } from 'vitest'
import { SLAB_BYTES, type Slab, Slabs } from '../../../src/uploads/slabs.ts'

const MAX_SLABS = 4

let slabs: Slabs
let slab: Slab

beforeEach(() => {
  slabs = new Slabs(MAX_SLABS * SLAB_BYTES)
  slab = take()
})

function take(): Slab {
  const taken = slabs.take()
  if (taken === undefined) throw new Error('no slab')
  return taken
}

test('reads follow each other in a slab', () => {
  const [first, second] = [slabs.lend(slab, 100), slabs.lend(slab, 50)]
  expect(first.buffer).toBe(second.buffer)
  expect(second.byteOffset - first.byteOffset).toBe(100)
  expect([first.length, second.length, slab.filled]).toEqual([100, 50, 150])
})

test('a slab is free when it is closed and all its bytes were given back, in pieces of any cut', () => {
  const first = slabs.lend(slab, 100)
  const second = slabs.lend(slab, 50)
  slabs.giveBack([first.subarray(0, 30), second])
  slabs.close(slab)
  expect(slabs.bytes).toBe(SLAB_BYTES)
  expect(slabs.take()).not.toBe(slab)
  slabs.giveBack([first.subarray(30)])
  expect(slabs.bytes).toBe(SLAB_BYTES)
  const again = take()
  expect(again).toBe(slab)
  expect({ filled: again.filled, lent: again.lent, closed: again.closed }).toEqual({
    filled: 0,
    lent: 0,
    closed: false,
  })
})

test('a slab that may still be read into is not free', () => {
  slabs.giveBack([slabs.lend(slab, 100)])
  expect(slabs.take()).not.toBe(slab)
})

test('bytes that are given back twice are an error', () => {
  const chunk = slabs.lend(slab, 100)
  slabs.giveBack([chunk])
  expect(() => slabs.giveBack([chunk])).toThrow('given back twice')
})

test('chunks of other memory are nobody’s business', () => {
  slabs.giveBack([Buffer.alloc(10), Buffer.from('abc')])
  expect(slabs.bytes).toBe(SLAB_BYTES)
})

test('who keeps a small chunk for long gets a copy of it, and who keeps a large one gets it', () => {
  const small = slabs.lend(slab, 1000).fill('a')
  const large = slabs.lend(slab, SLAB_BYTES / 2)
  const copy = slabs.kept(small)
  expect(slabs.kept(large)).toBe(large)
  expect(slab.lent).toBe(large.length)
  small.fill('x')
  expect(copy.toString()).toBe('a'.repeat(1000))
  const other = Buffer.from('not of a slab')
  expect(slabs.kept(other)).toBe(other)
})

test('bytes of many share a slab, which is free when all were given back', () => {
  const bytes = Buffer.alloc(1000, 'a')
  const copies = [slabs.copy(bytes), slabs.copy(bytes)]
  bytes.fill('x')
  expect(copies.map(String)).toEqual(['a'.repeat(1000), 'a'.repeat(1000)])
  expect(new Set(copies.map(({ buffer }) => buffer)).size).toBe(1)
  expect(slabs.bytes).toBe(2 * SLAB_BYTES)
  slabs.giveBack(copies.splice(0, 1))
  expect(slabs.bytes).toBe(2 * SLAB_BYTES)
  slabs.giveBack(copies)
  expect(slabs.bytes).toBe(SLAB_BYTES)
})

test('a shared slab that is full is followed by another', () => {
  const bytes = Buffer.alloc(SLAB_BYTES / 2 + 1)
  const [first, second] = [slabs.copy(bytes), slabs.copy(bytes)]
  expect(first.buffer).not.toBe(second.buffer)
  slabs.giveBack([first])
  expect(slabs.bytes).toBe(2 * SLAB_BYTES)
  slabs.giveBack([second])
  expect(slabs.bytes).toBe(SLAB_BYTES)
})

test('who keeps a few bytes of each cannot keep more slabs than there may be', () => {
  const held = Array.from({ length: 100 }, (_, i) => slabs.copy(Buffer.alloc(SLAB_BYTES / 2 + 1, i)))
  expect(slabs.bytes).toBe(MAX_SLABS * SLAB_BYTES)
  expect(slabs.take()).toBeUndefined()
  expect(held.every((copy, i) => copy.equals(Buffer.alloc(SLAB_BYTES / 2 + 1, i)))).toBe(true)
  slabs.giveBack(held)
  expect(slabs.bytes).toBe(SLAB_BYTES)
})
