// Operators read one kind of unit: bytes in steps of 1024, named KiB, MiB, GiB. A disk that is "9.5 GB" in one place and
// "8.8 GiB" in another costs a call at night. Uploaders read the same numbers as KB, MB, GB, as their file manager has them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = join(import.meta.dirname, '../../..')
const DECIMAL = /(?:\b[0-9][0-9.,]* ?|')(?:kB|KB|MB|GB|TB)\b/g

const below = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js|html|md|yml|json)$/.test(name))
    .map((name) => join(folder, name))

/** What operators read on a screen. The documents on lines and purchases count as those who sell them. */
const files = [
  ...['src/ops', 'src/cli', 'src/support', 'docker'].flatMap(below),
  ...['src/core/metrics.ts', 'src/core/env-schema.ts', 'README.md'],
  ...['runbook', 'metrics', 'operations', 'integrating', 'security-log', 's3'].map((name) => `docs/${name}.md`),
]
/** Speeds of lines and windows: decimal, as bandwidth is. */
const SPEED = /\/s$/

it.each(files)('%s writes bytes in steps of 1024', (file) => {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const found = [...text.matchAll(DECIMAL)].filter(
    ({ 0: words, index }) => !SPEED.test(text.slice(index, index + words.length + 2)),
  )
  expect(found.map(([words]) => words)).toEqual([])
})
