import { describe, expect, it } from 'vitest'
import { type PdfValue, readObjects } from '../../../../workers/media/pdf-json.ts'
import { readTree } from '../../../../workers/media/pdf-tree.ts'

async function walk(objects: Record<number, PdfValue>) {
  const listed = Object.entries({ 1: { '/Pages': '2 0 R' }, ...objects }).map(([id, value]) => [
    `obj:${id} 0 R`,
    { value },
  ])
  const body = Object.fromEntries([...listed, ['trailer', { value: { '/Root': '1 0 R' } }]])
  return await readTree(readObjects(Buffer.from(JSON.stringify({ qpdf: [{}, body] }, null, 2))))
}
const branch = (kids: PdfValue[], more = {}) => ({ '/Type': '/Pages', '/Kids': kids, ...more })
const PAGE = { '/Type': '/Page' }

describe('the tree of pages', () => {
  it('returns the pages in order, with values inherited from the nearest branch', async () => {
    const tree = await walk({
      2: branch(['3 0 R', '6 0 R'], { '/Count': 3, '/Rotate': 90, '/MediaBox': [0, 0, 1, 1] }),
      3: branch(['4 0 R', '5 0 R'], { '/Rotate': 0 }),
      4: PAGE,
      5: PAGE,
      6: PAGE,
    })
    expect(tree?.pages.map(({ value }) => value)).toEqual(['4 0 R', '5 0 R', '6 0 R'])
    expect(tree?.pages.map(({ inherited }) => inherited['/Rotate'])).toEqual([0, 0, 90])
    expect(tree?.pages[0]?.inherited['/MediaBox']).toEqual([0, 0, 1, 1])
    expect(tree).toMatchObject({ missing: 0, loopsAt: [], claimed: 3 })
  })

  it('skips a repeated branch, and reports after which page', async () => {
    const tree = await walk({ 2: branch(['3 0 R', '2 0 R', '3 0 R']), 3: PAGE })
    expect(tree).toMatchObject({ loopsAt: [1], missing: 0, claimed: null })
    expect(tree?.pages).toHaveLength(2)
  })

  it('visits a shared branch once, not ten to the power of its depth', async () => {
    const levels = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [i + 2, branch(Array.from({ length: 10 }, () => `${i + 3} 0 R`))]),
    )
    const tree = await walk({ ...levels, 32: PAGE })
    expect(tree?.pages).toHaveLength(10)
  })

  it('counts missing entries', async () => {
    const tree = await walk({ 2: branch(['3 0 R', '9 0 R', null, 5], { '/Count': 4 }), 3: PAGE })
    expect(tree).toMatchObject({ missing: 3, claimed: 4 })
    expect(tree?.pages).toHaveLength(1)
  })

  it('is one page if the catalog names a page, and none if it names nothing', async () => {
    expect((await walk({ 2: PAGE }))?.pages).toHaveLength(1)
    expect(await walk({})).toBeNull()
  })
})
