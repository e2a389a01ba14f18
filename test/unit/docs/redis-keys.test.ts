// Whoever looks into Redis, or asks what is kept of a person, finds each of its keys in docs/architecture.md.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const namesIn = (text: string) => new Set([...text.matchAll(/sn:[a-z]+(?:-[a-z]+)*/g)].map(([name]) => name))

it('every key of Redis is in the table of its contents', () => {
  const [, table = ''] = readFileSync(join(root, 'docs/architecture.md'), 'utf8').split('## Contents of Redis')
  const told = namesIn(table)
  const used = [...namesIn(readFileSync(join(root, 'src/records/keys.ts'), 'utf8'))]
  expect(used.length).toBeGreaterThan(30)
  expect(used.filter((name) => !told.has(name))).toEqual([])
})
