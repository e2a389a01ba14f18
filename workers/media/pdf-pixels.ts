// Number of pixels in the pictures of the pages that are drawn for the verdict: it explains a long drawing time.

import type { PdfObjects, PdfValue } from './pdf-json.ts'
import type { PageTree, PdfPage } from './pdf-tree.ts'

/** @returns pixels of all pictures on the first and the last page, including pictures inside form XObjects */
export function pixelsOf(objects: PdfObjects, { pages }: PageTree): number {
  const ends = [pages[0], pages.at(-1)].filter((page): page is PdfPage => page !== undefined)
  const seen = new Set<number>()
  const todo: PdfValue[] = ends.map(({ value, inherited }) => ({
    '/Resources': objects.dict(value)?.['/Resources'] ?? inherited['/Resources'] ?? null,
  }))
  let pixels = 0
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { id } = objects.resolve(next)
    if (id !== null && seen.has(id)) continue
    if (id !== null) seen.add(id)
    const drawing = objects.dict(next) ?? {}
    const [width, height] = [drawing['/Width'], drawing['/Height']].map((side) => objects.resolve(side).value)
    if (typeof width === 'number' && typeof height === 'number') pixels += width * height
    const resources = objects.dict(drawing['/Resources'])
    todo.push(...Object.values(objects.dict(resources?.['/XObject']) ?? {}))
  }
  return pixels
}
