// How a surge counts: every way in which a file can be lost or doubled has to show.

import { describe, expect, it } from 'vitest'
import type { Listed } from '../../../../tools/lib/portal.ts'
import { type ClientOutcome, handedIn } from '../../../../tools/surge/client.ts'
import type { UploadEvents } from '../../../../tools/surge/events.ts'
import { Measures, spreadOf } from '../../../../tools/surge/measures.ts'
import { sumOf } from '../../../../tools/surge/service-metrics.ts'
import { summarize } from '../../../../tools/surge/summary.ts'
import { tableLines } from '../../../../tools/surge/table.ts'
import { type Finding, judge } from '../../../../tools/surge/verify.ts'

const upload = {
  failure: undefined,
  failureCode: undefined,
  resumedAt: [],
  cuts: 0,
  restarts: 0,
  sentBytes: 9,
}
const good: ClientOutcome = {
  client: {
    plan: { number: 0, arrivesMs: 0, fileBytes: 9, cutAtByte: undefined },
    submissionId: 's',
    source: { bytes: 9, chunks: () => (async function* () {})() },
    sha256: 'abc',
  },
  upload: { ...upload, url: 'http://127.0.0.1/files/u1' },
  failure: undefined,
  failureCode: undefined,
  milliseconds: 100,
}
const document = {
  id: 'u1',
  state: 'ready',
  storedAt: '2026-01-01T00:00:00.000Z',
  sha256: 'abc',
  problems: [],
}
const storedMs = Date.parse(document.storedAt)
const told: UploadEvents = { storedMs, verdictsMs: [storedMs + 250], readyMs: storedMs + 900 }
const listed = (...documents: object[]) => documents as Listed[]

describe('judge', () => {
  const end = (uploads: object[], events = told, outcome = good, downloaded?: string) =>
    judge(handedIn(outcome), listed(...uploads), events, downloaded)

  it('served: there, whole, and judged once', () => {
    expect(end([document])).toMatchObject({ end: 'served', duplicates: 0, verdictMs: 250, readyMs: 900 })
  })
  it('served by a download where the service has not hashed it yet', () => {
    expect(end([{ ...document, sha256: null }], told, good, 'abc').end).toBe('served')
    expect(end([{ ...document, sha256: null }], told, good, 'other').end).toBe('lost')
    expect(end([{ ...document, sha256: null }]).end).toBe('lost')
  })
  it.each([
    ['unknown', []],
    ['other bytes', [{ ...document, sha256: 'def' }]],
    ['without its last byte', [{ ...document, state: 'receiving', storedAt: null }]],
    ['expired', [{ ...document, state: 'expired' }]],
    ['cancelled', [{ ...document, state: 'cancelled' }]],
  ])('lost: %s', (why, uploads) => {
    expect(end(uploads)).toMatchObject({ end: 'lost', why: expect.stringContaining(why) })
  })
  it('duplicated: a second finished upload, or a second verdict', () => {
    expect(end([document, { ...document, id: 'u2' }]).duplicates).toBe(1)
    expect(end([document, { ...document, id: 'u2', storedAt: null }]).duplicates).toBe(0)
    expect(end([document], { ...told, verdictsMs: [1, 2] }).duplicates).toBe(1)
  })
  it('refused with a code, unfinished without', () => {
    const refused = { ...good, failure: '503', failureCode: 'OVERLOADED' }
    expect(end([], told, refused).end).toBe('refused')
    expect(end([], told, { ...refused, failureCode: undefined }).end).toBe('unfinished')
  })
})

describe('summarize', () => {
  const served: Finding = {
    end: 'served',
    why: undefined,
    duplicates: 0,
    state: 'ready',
    problems: [],
    verdictMs: 250,
    readyMs: 900,
  }
  const sum = (finding: Partial<Finding>, outcome: ClientOutcome = good) =>
    summarize([outcome], [{ ...served, ...finding }], new Measures(), null)

  it('has no error if all is well, or an upload was refused with a code', () => {
    expect(sum({})).toMatchObject({ offered: 1, served: 1, lost: 0, errors: [] })
    const refused = { ...good, failure: '503', failureCode: 'OVERLOADED' }
    expect(sum({ end: 'refused', verdictMs: undefined }, refused)).toMatchObject({
      refused: { OVERLOADED: 1 },
      payloadBytes: 0,
      errors: [],
    })
  })
  it.each<[string, Partial<Finding>, ClientOutcome]>([
    ['1 lost: gone', { end: 'lost', why: 'gone', verdictMs: undefined }, good],
    ['1 duplicated', { duplicates: 1 }, good],
    ['1 restarted from byte 0', {}, { ...good, upload: { ...upload, url: 'u', restarts: 1 } }],
    ['1 unfinished: out of time', { end: 'unfinished', why: 'out of time', verdictMs: undefined }, good],
    ['1 not accepted: 1 × rejected NO_VIDEO', { state: 'rejected', problems: ['NO_VIDEO'] }, good],
    ['1 served, but no verdict event was published', { verdictMs: undefined }, good],
  ])('error: %s', (error, finding, outcome) => {
    expect(sum(finding, outcome).errors).toEqual([error])
  })
  it('a cut upload counts as resumed only if it finished without a restart', () => {
    const cut = (more: object) => sum({}, { ...good, upload: { ...upload, url: 'u', cuts: 1, ...more } }).resumed
    expect(cut({})).toBe(1)
    expect(cut({ restarts: 1 })).toBe(0)
    expect(cut({ failure: 'x' })).toBe(0)
  })
  it('shows in a table', () => {
    const lines = tableLines(sum({})).join('\n')
    expect(lines).toMatch(/^served +1$/m)
    expect(lines).toMatch(/^last byte → verdict +1 +250 ms/m)
    expect(lines).toMatch(/^received by the service +unknown$/m)
  })
})

describe('measures', () => {
  it('percentiles are measurements, by nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(spreadOf(hundred)).toEqual({ count: 100, p50: 50, p95: 95, p99: 99, max: 100 })
    expect(spreadOf([7])).toEqual({ count: 1, p50: 7, p95: 7, p99: 7, max: 7 })
    expect(spreadOf([])).toEqual({ count: 0, p50: null, p95: null, p99: null, max: null })
  })
  it('refusals are counted by request and response', () => {
    const measures = new Measures()
    const answer = { method: 'POST', status: 503, code: 'OVERLOADED', milliseconds: 1, offset: undefined }
    measures.answer(answer)
    measures.answer(answer)
    measures.answer({ ...answer, status: 201, code: undefined })
    measures.call({ name: 'ticket', status: 0, milliseconds: 1 })
    expect(measures.refusals()).toEqual({ 'POST 503 OVERLOADED': 2, 'portal: ticket: no response': 1 })
    expect(measures.spreads(['POST'])['POST']?.count).toBe(3)
  })
  it('a metric is the sum of its samples, and null where it is not', () => {
    const text = '# HELP a x\na_total{p="1"} 5\na_total{p="2"} 7\na_total_more 100\n'
    expect(sumOf(text, 'a_total')).toBe(12)
    expect(sumOf(text, 'b_total')).toBeNull()
  })
})
