// The threat model names the test that shows each mitigation: those tests exist.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const TESTS = join(import.meta.dirname, '../..')
const page = readFileSync(join(import.meta.dirname, '../../../docs/threat-model.md'), 'utf8')

/** `a/{b,c}` as `a/b` and `a/c`; `…/x` stands beside the path before it. */
function paths(cell: string): string[] {
  let folder = ''
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, path = '']) => {
    const full = path.replace('…', folder)
    folder = full.slice(0, full.lastIndexOf('/'))
    const [, before = '', list] = /^(.*)\{(.*)\}$/.exec(full) ?? []
    return list === undefined ? [full] : list.split(',').map((name) => before + name)
  })
}

const rows = page
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))

it('has a numbered row for each threat', () => {
  expect(rows.map(([, number]) => Number(number))).toEqual(rows.map((_row, index) => index + 1))
  expect(rows.length).toBeGreaterThan(15)
})

it.each(rows.map((cells) => [cells[2] ?? '', cells[4] ?? ''] as const))(
  '%s: the named tests exist',
  (_threat, shown) => {
    const named = paths(shown.replace(/: .*$/, ''))
    expect(named.length).toBeGreaterThan(0)
    for (const path of named)
      expect(existsSync(join(TESTS, path)) || existsSync(join(TESTS, `${path}.test.ts`)), path).toBe(true)
  },
)
