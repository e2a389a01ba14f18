// Whoever looks into Redis, or asks what is kept of a person, finds each of its keys in docs/architecture.md.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { channels, redisKeys } from '../../../src/records/keys.ts'

const root = join(import.meta.dirname, '../../..')
const namesIn = (text: string) => [...text.matchAll(/sn:[a-z]+(?:-[a-z]+)*/g)].map(([name]) => name)
const DUE = ['due', 'due-submissions', 'due-erasures', 'due-attempts'] as const

it('every key of Redis is in the table of its contents', () => {
  const [, table = ''] = readFileSync(join(root, 'docs/architecture.md'), 'utf8').split('## Contents of Redis')
  const told = new Set(namesIn(table))
  const { everyDue, dueOf: _, published: __, ...others } = redisKeys
  const named = Object.values(others).map((key) =>
    typeof key === 'string' ? key : (key as (...parts: string[]) => string)('1', '2', '3', '4', '5'),
  )
  const used = namesIn([...named, ...DUE.flatMap(everyDue), ...Object.values(channels)].join(' '))
  expect(used.length).toBeGreaterThan(30)
  expect(used.filter((name) => !told.has(name))).toEqual([])
})
