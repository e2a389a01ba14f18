import { describe, expect, it } from 'vitest'
import type { Level, Outcome, Result } from '../../../../tools/conformance/model.ts'
import { countByLevel, createTextReporter, exitCode, renderTotals } from '../../../../tools/conformance/report.ts'
import { renderSentences, sections } from '../../../../tools/conformance/sections/index.ts'

const result = (level: Level, outcome: Outcome, more: Partial<Result> = {}): Result => ({
  id: 'head.offset: at 0',
  section: 'Core protocol: HEAD',
  level,
  rule: 'Upload-Offset is there',
  check: 'at 0',
  outcome,
  elapsedMs: 1,
  notes: [],
  ...more,
})

describe('exitCode', () => {
  it.each([
    ['MUST', 'fail', 1],
    ['MUST', 'blocked', 1],
    ['MUST', 'skip', 0],
    ['MUST', 'not announced', 0],
    ['SHOULD', 'fail', 0],
    ['MAY', 'fail', 0],
    ['ROBUST', 'fail', 0],
  ] as const)('a %s that is "%s" gives %i', (level, outcome, code) => {
    expect(exitCode([result('MUST', 'pass'), result(level, outcome)])).toBe(code)
  })
})

describe('the reports', () => {
  it('count by level and outcome', () => {
    const totals = countByLevel([result('MUST', 'pass'), result('MUST', 'fail'), result('ROBUST', 'fail')])
    expect(totals.MUST).toMatchObject({ pass: 1, fail: 1, skip: 0 })
    expect(totals.ROBUST.fail).toBe(1)
    expect(renderTotals([])).toContain('No MUST was tested.')
    expect(renderTotals([result('MUST', 'pass')])).toContain('No MUST is broken.')
    expect(renderTotals([result('MUST', 'fail')])).toContain('At least one MUST is broken')
  })

  it('print a section and a sentence once, and details of failures', () => {
    const lines: string[] = []
    const report = createTextReporter((line) => lines.push(line))
    report(result('MUST', 'pass'))
    report(result('MUST', 'fail', { check: 'at 5', request: 'HEAD /a', expected: '200', got: '500 Oops' }))
    const text = lines.join('\n')
    expect(text.match(/Core protocol: HEAD/g)).toHaveLength(1)
    expect(text.match(/Upload-Offset is there/g)).toHaveLength(1)
    expect(text).toMatch(/FAIL +at 5/)
    expect(text).toMatch(/request +HEAD \/a\n +expected +200\n +got +500 Oops/)
  })
})

describe('the catalogue of sentences', () => {
  const rules = sections.flatMap((section) => section.rules.map((rule) => ({ section, rule })))

  it('gives every rule a key of its own, and checks or a reason why there are none', () => {
    const keys = rules.map(({ section, rule }) => `${section.key}.${rule.key}`)
    expect(new Set(keys).size).toBe(keys.length)
    for (const { rule } of rules) {
      expect(Object.keys(rule.checks).length > 0).toBe(rule.untested === undefined)
    }
  })

  it('keeps robustness apart from conformance', () => {
    for (const { section, rule } of rules) {
      expect(rule.level === 'ROBUST').toBe(section.title.startsWith('Robustness'))
    }
  })

  it('can be listed', () => {
    const text = renderSentences(sections)
    for (const { rule } of rules) expect(text).toContain(rule.says)
  })
})
