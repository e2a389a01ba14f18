// Pages whose contents are not there. A page may be empty by saying nothing; one that names contents which the file does not
// hold has lost them, though every viewer shows a white sheet.

import type { PdfObjects } from './pdf-json.ts'
import type { PageTree, PdfPage } from './pdf-tree.ts'
import { turns } from './pdf-turns.ts'

export type LostContents = {
  /** Numbers of pages of which nothing is left. */
  whole: number[]
  /** Numbers of pages of which a part is left. */
  part: number[]
}

export async function lostContents(objects: PdfObjects, { pages }: PageTree): Promise<LostContents> {
  const lost: LostContents = { whole: [], part: [] }
  const turn = turns()
  for (const [i, page] of pages.entries()) {
    await turn()
    const [there, gone] = countContents(objects, page)
    if (gone > 0) lost[there === 0 ? 'whole' : 'part'].push(i + 1)
  }
  return lost
}

function countContents(objects: PdfObjects, { value }: PdfPage): [there: number, gone: number] {
  const contents = objects.dict(value)?.['/Contents']
  if (contents === undefined || contents === null) return [0, 0]
  const { value: found } = objects.resolve(contents)
  const pieces = Array.isArray(found) ? found : [contents]
  const there = pieces.filter((piece) => objects.resolve(piece).isStream).length
  return [there, pieces.length - there]
}
