import { expect, it } from 'vitest'
import { bytesInWords, columnsOf, tableLines, timeInWords } from '../../../src/cli/render.ts'

it('aligns columns, also with Thai, whose vowels and tone marks have no width', () => {
  expect(columnsOf('ครูสมศรี ใจดี')).toBe(10)
  expect(
    tableLines(
      [
        ['ครูสมศรี', 2],
        ['Ann', null],
      ],
      ['person', 'files'],
    ),
  ).toEqual(['person  files', 'ครูสมศรี  2', 'Ann     -'])
})

it('formats amounts and times', () => {
  expect([0, 1023, 1024, 6_291_456, 5 * 1024 ** 4].map(bytesInWords)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '6.0 MiB',
    '5.0 TiB',
  ])
  expect(bytesInWords(null)).toBe('?')
  expect([0, 59_000, 60_000, 90_000, 7_200_000, 5_400_000].map(timeInWords)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '1 min 30 s',
    '2 h',
    '1 h 30 min',
  ])
})
