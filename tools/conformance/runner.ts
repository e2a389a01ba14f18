// Runs the sections one check after the other and turns what each throws into a result.
import { succeeded } from './expect.ts'
import { Harness, type HarnessOptions, type ServerFacts } from './harness.ts'
import {
  Blocked,
  type Check,
  Deviation,
  type Extension,
  type Outcome,
  type Result,
  type Rule,
  type Section,
  Skip,
} from './model.ts'
import type { Payload } from './payload.ts'
import { NoAnswer } from './wire/connection.ts'
import { MalformedResponse } from './wire/parse.ts'

export interface RunContext {
  readonly options: HarnessOptions
  readonly facts: ServerFacts
  readonly payload: Payload
  /** Only checks whose id, title or section contains this, without case. */
  readonly only?: string
  /** Longest time for one check, its clean-up not counted. */
  readonly checkLimitMs: number
  /** Called after each check, for a reporter that prints progress. */
  readonly onResult?: (result: Result) => void
  /** Called with uploads that a check has made and could not delete. */
  readonly onLeft?: (urls: readonly string[]) => void
}

/** Results in the order of the protocol text. Rules without checks give none. */
export async function runSections(sections: readonly Section[], context: RunContext): Promise<Result[]> {
  const results: Result[] = []
  for (const section of sections) {
    for (const rule of section.rules) {
      for (const [title, check] of Object.entries(rule.checks)) {
        const id = `${section.key}.${rule.key}: ${title}`
        if (!selected(context.only, `${section.title} ${id} ${rule.says}`)) continue
        const result = await runCheck({ id, title, section, rule, check }, context)
        results.push(result)
        context.onResult?.(result)
      }
    }
  }
  return results
}

function selected(only: string | undefined, text: string): boolean {
  return only === undefined || text.toLowerCase().includes(only.toLowerCase())
}

interface Planned {
  readonly id: string
  readonly title: string
  readonly section: Section
  readonly rule: Rule
  readonly check: Check
}

async function runCheck(planned: Planned, context: RunContext): Promise<Result> {
  const { id, title, section, rule } = planned
  const named = { id, section: section.title, level: rule.level, rule: rule.says, check: title }
  const missing = missingExtensions(section, rule, context.facts)
  if (missing.length > 0) {
    return { ...named, outcome: 'not announced', elapsedMs: 0, notes: [`needs ${missing.join(', ')}`] }
  }
  const t = new Harness(context.options, context.facts, context.payload)
  const startedAt = Date.now()
  let verdict = await attempt(planned.check, t, context.checkLimitMs)
  const elapsedMs = Date.now() - startedAt
  context.onLeft?.(await t.dispose())
  if (rule.level === 'ROBUST' && verdict.outcome === 'pass') verdict = await stillAlive(context, verdict)
  return { ...named, ...verdict, elapsedMs, notes: [...t.notes, ...verdict.notes] }
}

function missingExtensions(section: Section, rule: Rule, facts: ServerFacts): Extension[] {
  if (rule.always) return []
  const needed = [...(section.extension ? [section.extension] : []), ...(rule.needs ?? [])]
  return needed.filter((extension) => !facts.extensions.has(extension))
}

interface Verdict {
  readonly outcome: Outcome
  readonly notes: readonly string[]
  readonly expected?: string
  readonly got?: string
  readonly request?: string
}

async function attempt(check: Check, t: Harness, limitMs: number): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<Verdict>((resolve) => {
    timer = setTimeout(
      () => resolve({ outcome: 'fail', notes: [], expected: 'a result', got: `none within ${limitMs} ms` }),
      limitMs,
    )
  })
  try {
    return await Promise.race([verdictOf(check, t), limit])
  } finally {
    clearTimeout(timer)
  }
}

async function verdictOf(check: Check, t: Harness): Promise<Verdict> {
  try {
    await check(t)
    return { outcome: 'pass', notes: [] }
  } catch (error) {
    if (error instanceof Skip) return { outcome: 'skip', notes: [error.message] }
    if (error instanceof Deviation) {
      return { outcome: 'fail', notes: [], expected: error.expected, got: error.got, ...requestOf(error) }
    }
    if (error instanceof Blocked) {
      return { outcome: 'blocked', notes: [error.message], got: error.got, ...requestOf(error) }
    }
    if (error instanceof NoAnswer || error instanceof MalformedResponse) {
      return { outcome: 'fail', notes: [], expected: 'an HTTP answer', got: error.message }
    }
    // An error of the check itself, after an unexpected response: it is reported, and the other checks continue.
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return {
      outcome: 'blocked',
      notes: ['the check itself broke'],
      got: trace.split('\n').slice(0, 4).join(' '),
    }
  }
}

function requestOf(error: { readonly request: string | undefined }): { request?: string } {
  return error.request === undefined ? {} : { request: error.request }
}

/** After a hostile request the server must still answer, even if its response was correct. */
async function stillAlive(context: RunContext, verdict: Verdict): Promise<Verdict> {
  const t = new Harness(context.options, context.facts, context.payload)
  const x = await t.optionsRequest()
  await t.dispose()
  if (succeeded(x)) return verdict
  return {
    ...verdict,
    outcome: 'fail',
    expected: 'a server that still answers',
    got: x.got,
    request: x.request,
  }
}
