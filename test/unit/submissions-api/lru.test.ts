import { expect, it } from 'vitest'
import { LruCache } from '../../../src/core/lru.ts'

it('drops the least recently used entry', () => {
  const cache = new LruCache<string, number>(2)
  cache.set('a', 1)
  cache.set('b', 2)
  expect(cache.get('a')).toBe(1)
  cache.set('c', 3)
  expect([cache.get('a'), cache.get('b'), cache.get('c'), cache.size]).toEqual([1, undefined, 3, 2])
  cache.set('c', 4)
  expect([cache.get('c'), cache.size]).toEqual([4, 2])
})
