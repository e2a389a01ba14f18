import { expect, it } from 'vitest'
import { isBlank, readGrayMap } from '../../../../workers/media/pdf-ink.ts'

it('readGrayMap reads one picture, and rejects an incomplete one', () => {
  expect(readGrayMap(Buffer.concat([Buffer.from('P5\n2 2\n255\n'), Buffer.alloc(4, 1)]))).toEqual(Buffer.alloc(4, 1))
  expect(readGrayMap(Buffer.concat([Buffer.from('P5\n9 9\n255\n'), Buffer.alloc(3)]))).toBeNull()
  expect(readGrayMap(Buffer.from('P6\n1 1\n255\nx'))).toBeNull()
})

it('a page with a single dark pixel is not blank, and a completely dark one is not either', () => {
  const white = Buffer.alloc(100, 255)
  expect(isBlank(white)).toBe(true)
  white[50] = 0
  expect(isBlank(white)).toBe(false)
  expect(isBlank(Buffer.alloc(100, 0))).toBe(false)
})
