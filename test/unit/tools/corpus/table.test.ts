// The table of the corpus itself: that it asks about every rule, on both sides, and that the documentation says the same.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RULE_CODES } from '../../../../src/submissions/rules/codes.ts'
import { docsStart } from '../../../../tools/corpus/docs.ts'
import { GROUPS } from '../../../../tools/corpus/model.ts'
import { allRows } from '../../../../tools/corpus/rows/index.ts'
import { limitsOf } from '../../../../tools/corpus/rows/limits.ts'
import { catalogue } from '../../submissions/support.ts'

const rows = allRows(catalogue)
const expectsCode = (code: string) => rows.filter(({ expect: { problems } }) => code in problems)

describe('the corpus', () => {
  it('has rows of every group, each with a name of its own', () => {
    expect(rows.length).toBeGreaterThan(200)
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length)
    expect(new Set(rows.map(({ group }) => group))).toEqual(new Set(GROUPS))
  })

  // Malware needs a scanner, and no file of a few seconds' making comes to the limits of a video's inspection: tests of their
  // own ask for both.
  it.each(RULE_CODES.filter((code) => code !== 'MALWARE' && code !== 'VIDEO_UNCHECKED'))(
    'has a file that %s is said of',
    (code) => {
      const found = expectsCode(code)
      expect(found.length).toBeGreaterThan(0)
      const kinds = new Set(found.map(({ expect: { measured } }) => measured.kind))
      const others = rows.filter(
        ({ expect: { measured, problems } }) => kinds.has(measured.kind) && !(code in problems),
      )
      expect(others.length).toBeGreaterThan(0)
    },
  )

  it('expects for every problem the severity that the slot’s profile gives it', () => {
    for (const { name, place, expect: wanted } of rows) {
      const slot = catalogue.get(place.profile)?.slots.find(({ id }) => id === place.slot)
      expect(slot, name).toBeDefined()
      // A picture that nothing decodes is as grave as a damaged one.
      const ruleOf = (code: string, severity: string) =>
        (code === 'CODEC_UNCOMMON' && severity === 'reject'
          ? 'VIDEO_UNDECODABLE'
          : code) as keyof typeof wanted.problems
      for (const [code, severity] of Object.entries(wanted.problems))
        expect([name, code, slot?.severities[ruleOf(code, severity)]]).toEqual([name, code, severity])
      const rejects = Object.values(wanted.problems).includes('reject')
      expect([name, wanted.state === 'rejected']).toEqual([name, rejects])
    }
  })

  it.each([...new Set(limitsOf(catalogue).map(({ name }) => name))])('has files on both sides of %s', (name) => {
    const held = limitsOf(catalogue).filter((limit) => limit.name === name)
    const sides = rows.filter(({ also, about }) => also !== undefined && about.startsWith(`${name}: `))
    expect(new Set(sides.map(({ also }) => also?.breaks))).toEqual(new Set([true, false]))
    for (const { also } of sides) expect(also?.places).toEqual(held.map(({ place }) => place))
  })
})

describe('docs/corpus.md', () => {
  it('holds the current table: `npm run corpus -- --docs docs/corpus.md` writes it', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/corpus.md'), 'utf8')
    const lines = page.split('\n').filter((line) => line.startsWith('| `'))
    const starts = rows.map((row) => `| ${docsStart(row)} |`)
    expect(starts.filter((start) => !lines.some((line) => line.startsWith(start)))).toEqual([])
    expect(lines).toHaveLength(rows.length)
  })
})
