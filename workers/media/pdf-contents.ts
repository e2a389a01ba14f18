// Pages whose contents are missing. A page without contents may be intended to be empty; a page that refers to contents
// which are not in the file has lost them, although every viewer shows an empty page.

import type { PdfObjects } from './pdf-json.ts'
import type { PageTree, PdfPage } from './pdf-tree.ts'
import { turns } from './pdf-turns.ts'

export type LostContents = {
  /** Numbers of pages without any remaining content. */
  whole: number[]
  /** Numbers of pages with a part of their content. */
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
