import { describe, expect, test } from 'vitest'
import { formatTraceparent, parseTraceparent, readTraceparent } from '../../../src/core/trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('traceparent', () => {
  test('is read and written in the form of version 00', () => {
    const context = parseTraceparent(`00-${TRACE}-${SPAN}-01`)
    expect(context).toEqual({ traceId: TRACE, spanId: SPAN, sampled: true })
    expect(context && formatTraceparent(context)).toBe(`00-${TRACE}-${SPAN}-01`)
  })

  // "the vendor MUST set unused bits … to zero"; a later version is read by what it shares with this one.
  test.each([
    [`00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-00`],
    [`00-${TRACE}-${SPAN}-03`, `00-${TRACE}-${SPAN}-01`],
    [`cc-${TRACE}-${SPAN}-01-what-comes-later`, `00-${TRACE}-${SPAN}-01`],
  ])('%s is passed on as %s', (given, passed) => {
    expect(readTraceparent(given)).toBe(passed)
  })

  test.each([
    undefined,
    7,
    ['00'],
    '',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-0`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE}-${SPAN}-01-more`,
    ` 00-${TRACE}-${SPAN}-01`,
  ])('%j is none', (given) => {
    expect(readTraceparent(given)).toBeUndefined()
  })
})
