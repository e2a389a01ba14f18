import { expect, it } from 'vitest'
import { inParallel } from '../../../src/core/in-parallel.ts'

async function* numbers(count: number) {
  for (let i = 0; i < count; i++) yield await Promise.resolve(i)
}

it('processes every item once, with limited concurrency', async () => {
  const done: number[] = []
  let [running, most] = [0, 0]
  await inParallel(3, numbers(20), async (i) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    done.push(i)
    running--
  })
  expect(most).toBe(3)
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

it('accepts lists, and empty input', async () => {
  const done: string[] = []
  await inParallel(2, ['a', 'b', 'c'], async (item) => void done.push(item))
  await inParallel(2, [], async () => void done.push('never'))
  expect(done.toSorted()).toEqual(['a', 'b', 'c'])
})

it('fails with the first error, after running work has ended', async () => {
  const begun: number[] = []
  const ended: number[] = []
  const work = async (i: number) => {
    begun.push(i)
    await new Promise((resolve) => setImmediate(resolve))
    if (i === 1) throw new Error('no more')
    ended.push(i)
  }
  await expect(inParallel(2, numbers(50), work)).rejects.toThrow('no more')
  expect(begun.length).toBeLessThan(6)
  expect(ended.length).toBe(begun.length - 1)
})

it('throws the error of a generator', async () => {
  async function* broken() {
    yield 1
    throw new Error('the list broke off')
  }
  await expect(inParallel(2, broken(), () => Promise.resolve())).rejects.toThrow('the list broke off')
})
