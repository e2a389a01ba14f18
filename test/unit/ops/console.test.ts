// Parts of the console that need no browser, loaded as they are served.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runbookPage } from '../../../src/ops/console/runbook.ts'

const FOLDER = join(import.meta.dirname, '../../../src/ops/console/assets')
const asset = async <Module>(name: string) => (await import(join(FOLDER, name))) as Module

const { niceScale, timeSteps } = await asset<{
  niceScale: (max: number) => { end: number; steps: number[] }
  timeSteps: (fromMs: number, toMs: number, count: number) => number[]
}>('scale.js')
const { bytesInWords, numberInWords, timeInWords } = await asset<{
  bytesInWords: (bytes: number) => string
  numberInWords: (n: number) => string
  timeInWords: (seconds: number) => string
}>('words.js')

const { doorOf } = await asset<{ doorOf: (day: object) => { mood: string; words: string } }>('day.js')

type Trouble = { door: string; words: string; chapter: string | null }
const { troubleOfError, troubleOfRefusal } = await asset<{
  troubleOfError: (error: unknown, at: string | undefined) => Trouble
  troubleOfRefusal: (refusal: string | null) => Trouble | null
}>('trouble.js')

describe('the door', () => {
  const intake = (accepting: string[], draining: string[]) => ({ admission: null, intake: { accepting, draining } })
  it.each([
    ['good', 'Open for new uploads', intake(['a:1'], [])],
    ['warn', 'Open; draining b:1', intake(['a:1'], ['b:1'])],
    ['bad', 'No new uploads: every service drains (a:1, b:1)', intake([], ['a:1', 'b:1'])],
    ['bad', 'No new uploads: no service runs', intake([], [])],
    ['bad', 'New uploads closed: moving disks', { ...intake(['a:1'], []), admission: { reason: 'moving disks' } }],
  ])('is %s: %s', (mood, words, day) => {
    expect(doorOf(day)).toEqual({ mood, words })
  })
})

describe('trouble', () => {
  it('with Redis is not "open", says what it means, and has a chapter in the runbook', async () => {
    const away = troubleOfError(Object.assign(new Error('503'), { code: 'REDIS_UNAVAILABLE' }), undefined)
    const refusal = troubleOfRefusal('OOM command not allowed')
    for (const trouble of [away, refusal]) {
      expect(trouble?.words).toMatch(/Redis .*Uploads wait.* What was received is stored\.$/)
      expect(await runbookPage()).toContain(`>${trouble?.chapter}</h2>`)
    }
    expect(away.door).toBe('Not known: Redis is away')
    expect(refusal).toMatchObject({
      door: 'Uploads wait: Redis takes no writes',
      words: expect.stringContaining('OOM'),
    })
    expect(troubleOfRefusal(null)).toBeNull()
  })

  it('with the process itself is not "open" either', () => {
    expect(troubleOfError(new TypeError('Failed to fetch'), '2026-09-30T16:01:23')).toEqual({
      door: 'Not known',
      words: 'No numbers from this process: TypeError: Failed to fetch. Numbers as of 16:01:23.',
      chapter: null,
    })
  })
})

describe('scales', () => {
  it('end at a round number at or above the highest bar', () => {
    expect(niceScale(0)).toEqual({ end: 1, steps: [0, 1] })
    for (const max of [0.3, 1, 7, 99, 100, 101, 8_300_000]) {
      const { end, steps } = niceScale(max)
      expect(end).toBeGreaterThanOrEqual(max)
      expect(end).toBeLessThanOrEqual(max * 1.7)
      expect(steps.length).toBeGreaterThanOrEqual(3)
      expect(steps.length).toBeLessThanOrEqual(6)
      expect(steps.at(-1)).toBeCloseTo(end)
    }
  })

  it('mark round times within the period, as many as fit', () => {
    const from = Date.parse('2026-09-30T16:01:23Z')
    const steps = timeSteps(from, from + 600_000, 5)
    expect(steps).toHaveLength(5)
    for (const at of steps) {
      expect(at % 120_000).toBe(0)
      expect(at).toBeGreaterThanOrEqual(from)
    }
    expect(timeSteps(from, from + 86_400_000, 6).length).toBeLessThanOrEqual(6)
  })
})

describe('words', () => {
  it('are short enough to be read from a distance', () => {
    expect([0, 950, 3_700_000, 999_600, 123e9].map(bytesInWords)).toEqual([
      '0 B',
      '950 B',
      '3.7 MB',
      '1.0 MB',
      '123 GB',
    ])
    expect([0, 0.24, 8.6, 1234.4].map(numberInWords)).toEqual(['0', '0.2', '8.6', '1,234'])
    expect([0, 0.5, 42, 66, 1800, 7500, 300_000].map(timeInWords)).toEqual([
      '0 s',
      '0.5 s',
      '42 s',
      '1 min 6 s',
      '30 min',
      '2 h 5 min',
      '3 d 11 h',
    ])
  })
})
