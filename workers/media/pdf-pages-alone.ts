// A copy of a PDF with only its pages, in a flat tree, for page trees that poppler refuses but other viewers accept (a
// wrong count, a branch among its own children).

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PdfDict, PdfObjects } from './pdf-json.ts'
import type { PdfPage } from './pdf-tree.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'

/** Objects for qpdf's update; other objects stay unchanged. */
type Update = Record<string, { value: PdfDict }>

/**
 * @param path the file that `objects` were read from
 * @param pages in the order in which they are wanted
 * @returns the path of the copy, in the scratch folder
 * @throws {ToolError}
 */
export async function pagesAlone(
  context: ToolContext,
  path: string,
  { objects, pages, limits }: { objects: PdfObjects; pages: readonly PdfPage[]; limits: ToolLimits },
): Promise<string> {
  const { reference: root } = objects.resolve(objects.trailer['/Root'])
  const tree = objects.maxId + 1
  const update: Update = {}
  const kids = pages.map(({ value, inherited }, i) => {
    const reference = objects.resolve(value).reference ?? `${tree + 1 + i} 0 R`
    const own = objects.dict(value) ?? {}
    update[`obj:${reference}`] = {
      value: { ...inherited, ...own, '/Type': '/Page', '/Parent': `${tree} 0 R` },
    }
    return reference
  })
  update[`obj:${tree} 0 R`] = { value: { '/Type': '/Pages', '/Count': kids.length, '/Kids': kids } }
  update[`obj:${root}`] = { value: { '/Type': '/Catalog', '/Pages': `${tree} 0 R` } }
  const header = { jsonversion: 2, pdfversion: '1.7', maxobjectid: tree + pages.length }
  const updatePath = join(context.cwd, 'alone.json')
  await writeFile(updatePath, JSON.stringify({ qpdf: [header, update] }))
  const alone = join(context.cwd, 'alone.pdf')
  await context.runner.run({
    tool: 'qpdf',
    args: [path, `--update-from-json=${updatePath}`, '--stream-data=preserve', '--decrypt', alone],
    limits,
    cwd: context.cwd,
    reads: [path, updatePath],
    writes: [alone],
    signal: context.signal,
    // With warnings.
    okCodes: [0, 3],
  })
  return alone
}
