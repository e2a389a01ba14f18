import { expect, it } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { BEGINNING, decodeCursor, encodeCursor, positionAfter, shortName } from '../../../src/events/cursor.ts'

const ids = (count: number) => Array.from({ length: count }, (_, i) => `evt_${i}`)

it('is decoded as it was encoded', () => {
  const place = positionAfter(BEGINNING, 'ab12', '1700000000000-3', ids(5))
  expect(decodeCursor(encodeCursor(place))).toEqual({
    epoch: 'ab12',
    streamId: '1700000000000-3',
    told: ids(5).map(shortName),
  })
  expect(decodeCursor(encodeCursor(BEGINNING))).toEqual(BEGINNING)
})

it('contains the last events of all streams, and fits into a query', () => {
  const first = positionAfter(BEGINNING, '', '1-0', ids(200))
  const second = positionAfter(first, '', '2-0', ['evt_a', 'evt_b'])
  expect(second.told.slice(-3)).toEqual(['evt_199', 'evt_a', 'evt_b'].map(shortName))
  const many = positionAfter(second, 'f'.repeat(24), '1700000000000-1', ids(1000))
  expect(many.told.at(-1)).toBe(shortName('evt_999'))
  expect(encodeCursor(many).length).toBeLessThan(2000)
})

it.each([
  ['nothing', ''],
  ['another version', 'e9::1-0:'],
  ['no place', 'e2::1:'],
  ['letters where digits belong', 'e2:xyz:1-0:'],
  ['names that are cut', 'e2::1-0:abc'],
])('is refused with %s', (_, text) => {
  const cursor = Buffer.from(text).toString('base64url')
  expect(() => decodeCursor(cursor)).toThrow(AppError)
  expect(() => decodeCursor(`${cursor}=`)).toThrow(AppError)
})
