// The report as text (grouped by section, details of failures) and as JSON.
import type { ServerFacts } from './harness.ts'
import type { Level, Outcome, Result, Section } from './model.ts'

const outcomes: readonly Outcome[] = ['pass', 'fail', 'skip', 'blocked', 'not announced']
const levels: readonly Level[] = ['MUST', 'SHOULD', 'STATED', 'MAY', 'ROBUST']
const marks: Readonly<Record<Outcome, string>> = {
  pass: 'pass',
  fail: 'FAIL',
  skip: 'skip',
  blocked: 'BLOCKED',
  'not announced': 'not announced',
}

export type Totals = Readonly<Record<Level, Readonly<Record<Outcome, number>>>>

export function countByLevel(results: readonly Result[]): Totals {
  const of = (level: Level, outcome: Outcome) =>
    results.filter((result) => result.level === level && result.outcome === outcome).length
  const row = (level: Level) =>
    Object.fromEntries(outcomes.map((outcome) => [outcome, of(level, outcome)])) as Record<Outcome, number>
  return Object.fromEntries(levels.map((level) => [level, row(level)])) as Record<Level, Record<Outcome, number>>
}

/** 1 if a MUST fails or could not be tested because ordinary requests fail. */
export function exitCode(results: readonly Result[]): 0 | 1 {
  const broken = results.some(({ level, outcome }) => level === 'MUST' && (outcome === 'fail' || outcome === 'blocked'))
  return broken ? 1 : 0
}

export function renderHead(url: URL, facts: ServerFacts, payload: string): string {
  return [
    `tus 1.0.0 conformance of ${url.href}`,
    `  versions    ${facts.versions.join(', ') || 'none announced'}`,
    `  extensions  ${[...facts.extensions].join(', ') || 'none announced'}`,
    `  max size    ${facts.maxSizeBytes === undefined ? 'not announced' : `${facts.maxSizeBytes} bytes`}`,
    `  IETF draft  ${facts.draft ? 'interop version 6' : 'not offered'}`,
    `  payload     ${payload}`,
    `  content     ${facts.readBack ? 'compared by GET' : 'not readable by GET: judged by offsets alone'}`,
  ].join('\n')
}

/** Prints a heading per section, a line per sentence and one per check, with details below failed ones. */
export function createTextReporter(print: (line: string) => void) {
  let section = ''
  let rule = ''
  return (result: Result): void => {
    if (section !== result.section) print(`\n${result.section}`)
    if (section !== result.section || rule !== result.rule) print(`  ${result.level.padEnd(6)} ${result.rule}`)
    section = result.section
    rule = result.rule
    for (const line of renderResult(result)) print(line)
  }
}

export function renderResult(result: Result): string[] {
  const lines = [`         ${marks[result.outcome].padEnd(13)} ${result.check}`]
  const detail = (name: string, text: string | undefined) => {
    if (text !== undefined) lines.push(`                       ${name.padEnd(9)} ${text}`)
  }
  if (result.outcome === 'fail' || result.outcome === 'blocked') {
    detail('id', result.id)
    detail('request', result.request)
    detail('expected', result.expected)
    detail('got', result.got)
  }
  if (result.outcome !== 'not announced') for (const note of result.notes) detail('note', note)
  return lines
}

export function renderTotals(results: readonly Result[]): string {
  const totals = countByLevel(results)
  const head = `  ${''.padEnd(10)}${outcomes.map((outcome) => outcome.padStart(15)).join('')}`
  const rows = levels.map((level) => {
    const name = level === 'ROBUST' ? 'robustness' : level
    return `  ${name.padEnd(10)}${outcomes.map((outcome) => String(totals[level][outcome]).padStart(15)).join('')}`
  })
  const tested = results.some(({ level, outcome }) => level === 'MUST' && outcome === 'pass')
  const fine = tested ? 'No MUST is broken.' : 'No MUST was tested.'
  const verdict = exitCode(results) === 0 ? fine : 'At least one MUST is broken or could not be tested.'
  return ['', head, ...rows, '', verdict].join('\n')
}

export interface JsonReport {
  readonly protocol: '1.0.0'
  readonly url: string
  readonly startedAt: string
  readonly elapsedMs: number
  readonly server: {
    readonly versions: readonly string[]
    readonly extensions: readonly string[]
    readonly maxSizeBytes: string | null
    readonly checksumAlgorithms: readonly string[]
    readonly contentComparedByGet: boolean
  }
  readonly totals: Totals
  readonly results: readonly Result[]
  readonly untested: ReadonlyArray<{ section: string; level: Level; rule: string; reason: string }>
}

export function jsonReport(input: {
  readonly url: URL
  readonly facts: ServerFacts
  readonly startedAt: Date
  readonly sections: readonly Section[]
  readonly results: readonly Result[]
}): JsonReport {
  const { url, facts, startedAt, sections, results } = input
  return {
    protocol: '1.0.0',
    url: url.href,
    startedAt: startedAt.toISOString(),
    elapsedMs: Date.now() - startedAt.getTime(),
    server: {
      versions: facts.versions,
      extensions: [...facts.extensions],
      maxSizeBytes: facts.maxSizeBytes?.toString() ?? null,
      checksumAlgorithms: facts.checksumAlgorithms,
      contentComparedByGet: facts.readBack,
    },
    totals: countByLevel(results),
    results,
    untested: sections.flatMap((section) =>
      section.rules.flatMap(({ level, says, untested }) =>
        untested === undefined ? [] : [{ section: section.title, level, rule: says, reason: untested }],
      ),
    ),
  }
}
