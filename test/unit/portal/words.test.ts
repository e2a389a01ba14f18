// The page's two languages: sizes, spans and dates as people read them, and nothing that one of them lacks.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { asset } from './assets.ts'

type Words = {
  t: Record<string, unknown>
  moment: (when: string, seconds?: boolean) => string
  span: (seconds: number) => string
  limit: (seconds: number) => string
  bytes: (count: number) => string
}
const { CheckWords } = await asset<{ CheckWords: new (language: 'th' | 'en') => Words }>('verify/check-words.js')
const { preferredLanguage } = await asset<{ preferredLanguage: (asked: string | null) => string }>('chrome/language.js')

const th = new CheckWords('th')
const en = new CheckWords('en')

describe('words', () => {
  it('use Buddhist years for Thai readers, and Thai time for all', () => {
    expect(th.moment('2026-09-30T17:30:05Z')).toBe('1 ตุลาคม 2569 เวลา 00:30\u00a0น.')
    expect(th.moment('2026-09-30T09:30:05Z', true)).toBe('30 กันยายน 2569 เวลา 16:30:05\u00a0น.')
    expect(en.moment('2026-09-30T09:30:05Z')).toBe('30 September 2026, 16:30')
  })

  it('show a duration in its two largest units', () => {
    expect(th.span(0)).toBe('0 วินาที')
    expect(th.span(59.9)).toBe('59 วินาที')
    expect(th.span(60)).toBe('1 นาที')
    expect(th.span(3 * 86_400 + 2 * 3600 + 61)).toBe('3 วัน 2 ชั่วโมง')
    expect(en.span(86_400)).toBe('1 day')
    expect(en.span(7265)).toBe('2 h 1 min')
  })

  it('show limits like the rules', () => {
    expect(th.limit(3600)).toBe('60 นาที')
    expect(th.limit(47)).toBe('47 วินาที')
    expect(en.limit(605)).toBe('10 min 5 s')
  })

  it('show sizes in units of 1024', () => {
    expect(th.bytes(0)).toBe('0 B')
    expect(th.bytes(1023)).toBe('1023 B')
    expect(th.bytes(1_572_864)).toBe('1.5 MB')
    expect(th.bytes(10 * 1024 ** 3)).toBe('10 GB')
    expect(th.bytes(250 * 1024 ** 2 + 600_000)).toBe('251 MB')
  })

  it('have every text in both languages, each in its own script', () => {
    const texts = (table: unknown, path = ''): [string, unknown][] =>
      typeof table === 'object' && table !== null
        ? Object.entries(table).flatMap(([name, value]) => texts(value, `${path}.${name}`))
        : [[path, table]]
    const here = new Map(texts(th.t))
    const there = new Map(texts(en.t))
    expect([...there.keys()].toSorted()).toEqual([...here.keys()].toSorted())
    const say = (text: unknown): string =>
      typeof text === 'function' ? String(text(...[1, 2, 3].slice(0, text.length))) : String(text)
    const foreign = ['.otherLanguage', '.switchLanguage']
    for (const [path, text] of there) {
      expect(say(text), path).not.toBe('')
      if (!foreign.includes(path)) expect(say(text), path).not.toMatch(/[\u0e00-\u0e7f]/)
    }
  })
})

describe('the Thai of the page', () => {
  const said = JSON.stringify(th.t, (_key, value: unknown) => (typeof value === 'function' ? String(value) : value))

  it('has one term per thing, and does not use terms of assessment results for files', () => {
    // ผ่าน as in ผ่านเกณฑ์, but not ผ่อนผัน
    for (const word of ['ผ่าน', 'วิดีโอ', 'คลิป', 'อัปโหลด', 'แทนที่', 'สำเนา', 'อยู่ดี', 'เอาออก', 'เดี๋ยวนี้'])
      expect(said).not.toContain(word)
  })

  it('reminds the user to hand in, unless it happens automatically', () => {
    const { next, ...rest } = th.t as { next: Record<string, unknown> }
    const leave = (table: object) => Object.entries(table).filter(([, text]) => /ปิดหน้านี้ได้/.test(String(text)))
    expect(leave(next).map(([name]) => name)).toEqual(['sealed', 'armed', 'byItself'])
    expect(leave(rest)).toEqual([])
  })
})

describe('the language of the page', () => {
  const kept = new Map<string, string>()
  beforeEach(() => {
    kept.clear()
    vi.stubGlobal('localStorage', { getItem: (key: string) => kept.get(key) ?? null })
  })
  afterEach(() => vi.unstubAllGlobals())
  const browser = (...languages: string[]) => vi.stubGlobal('navigator', { languages })

  it('is that of the browser, otherwise Thai', () => {
    browser('en-US', 'th')
    expect(preferredLanguage(null)).toBe('en')
    browser('th-TH', 'en')
    expect(preferredLanguage(null)).toBe('th')
    browser('lo-LA')
    expect(preferredLanguage(null)).toBe('th')
  })

  it('is the earlier choice, and first of all the portal’s request', () => {
    browser('th-TH')
    kept.set('songngan.language', 'en')
    expect(preferredLanguage(null)).toBe('en')
    expect(preferredLanguage('th')).toBe('th')
    expect(preferredLanguage('fr')).toBe('en')
  })
})
