// Walks the page tree as viewers do: `/Count` is not trusted, a branch that occurs again is skipped, a page
// inherits from the branches above it.

import { isDict, type PdfDict, type PdfObjects, type PdfValue } from './pdf-json.ts'
import { turns } from './pdf-turns.ts'

export type PdfPage = {
  /** A reference, or the dictionary itself if it is directly in the list. */
  value: PdfValue
  /** Values of {@link INHERITED} from the branches above. */
  inherited: PdfDict
}

export type PageTree = {
  pages: PdfPage[]
  /** Entries of the tree that refer to nothing. */
  missing: number
  /** Numbers of pages after which (or instead of which) a branch occurs a second time. */
  loopsAt: number[]
  /** `/Count` of the root; null if it has none. */
  claimed: number | null
}

const INHERITED = ['/Resources', '/MediaBox', '/CropBox', '/Rotate']

type Branch = { kids: PdfValue[]; next: number; inherited: PdfDict }

/** @returns null if the catalog names no page tree */
export async function readTree(objects: PdfObjects): Promise<PageTree | null> {
  const catalog = objects.dict(objects.trailer['/Root'])
  const root = objects.resolve(catalog?.['/Pages'])
  if (!isDict(root.value)) return null
  const count = objects.resolve(root.value['/Count']).value
  const tree: PageTree = {
    pages: [],
    missing: 0,
    loopsAt: [],
    claimed: typeof count === 'number' ? count : null,
  }
  const seen = new Set<number>()
  const branches: Branch[] = [{ kids: [catalog?.['/Pages'] ?? null], next: 0, inherited: {} }]
  const turn = turns()
  for (let branch = branches.at(-1); branch !== undefined; branch = branches.at(-1)) {
    const kid = branch.kids[branch.next++]
    if (kid === undefined) {
      branches.pop()
      continue
    }
    await turn()
    const { value, id } = objects.resolve(kid)
    if (!isDict(value)) {
      tree.missing++
      continue
    }
    const kids = objects.resolve(value['/Kids']).value
    if (!Array.isArray(kids)) {
      if (value['/Type'] !== '/Pages') tree.pages.push({ value: kid, inherited: branch.inherited })
      continue
    }
    // Also a branch that two others share: otherwise forty levels of ten branches would be 10^40 pages.
    if (id !== null && seen.has(id)) {
      tree.loopsAt.push(Math.max(1, tree.pages.length))
      continue
    }
    if (id !== null) seen.add(id)
    branches.push({ kids, next: 0, inherited: inheritedBy(value, branch.inherited) })
  }
  return tree
}

function inheritedBy(branch: PdfDict, above: PdfDict): PdfDict {
  const own = INHERITED.filter((key) => branch[key] !== undefined)
  return own.length === 0 ? above : { ...above, ...pick(branch, own) }
}

function pick(dict: PdfDict, keys: readonly string[]): PdfDict {
  return Object.fromEntries(keys.map((key) => [key, dict[key] ?? null]))
}
