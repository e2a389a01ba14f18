// Pictures of PDF pages for viewing, made by poppler's pdftoppm.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chooseFonts } from './pdf-fonts.ts'
import { copyingLimits } from './pdf-limits.ts'
import { findEnd } from './pdf-mend.ts'
import { openPdf } from './pdf-open.ts'
import { pagesAlone } from './pdf-pages-alone.ts'
import { readTree } from './pdf-tree.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'
import { fileSource } from './source.ts'
import { ToolError } from './tool-error.ts'

const RENDER_LIMITS: ToolLimits = {
  // CPU time decides: a drawing of a hundred million strokes is an error of the file, a busy machine is a system error.
  wallMs: 120_000,
  cpuSeconds: 20,
  memoryBytes: 2 * 1024 ** 3,
  outputBytes: 64 * 1024 * 1024,
  fileBytes: 32 * 1024 * 1024,
}

export type PagePicture = { path: string; bytes: number; contentType: 'image/jpeg' | 'image/png' }

export type PageOptions = {
  /** From 1; default 1. */
  page?: number
  /** Longer side in pixels; default 1280. The picture has this size, whatever the page size in the file. */
  maxSidePx?: number
  format?: 'jpeg' | 'png'
}

/**
 * Draws one page into the scratch folder.
 *
 * @throws {ToolError} `INPUT_UNREADABLE` if the page cannot be drawn
 */
export async function renderPage(context: ToolContext, path: string, options: PageOptions = {}): Promise<PagePicture> {
  try {
    return await drawPage(context, path, options)
  } catch (error) {
    if (!(error instanceof ToolError && error.code === 'INPUT_UNREADABLE')) throw error
    // poppler refuses page trees with a wrong count, which other viewers show: a copy of the page alone has a new tree.
    const alone = await pageAlone(context, path, options.page ?? 1)
    return await drawPage(context, alone, { ...options, page: 1 })
  }
}

/** A document of that page only, written by qpdf. */
async function pageAlone(context: ToolContext, path: string, number: number): Promise<string> {
  const source = await fileSource(path)
  const limits = copyingLimits(source.bytes)
  const opened = await openPdf(context, source, { end: await findEnd(source), limits })
  const tree = opened.objects === null ? null : await readTree(opened.objects)
  const page = tree?.pages[number - 1]
  if (opened.objects === null || opened.locked || page === undefined)
    throw new ToolError('INPUT_UNREADABLE', 'input', `there is no page ${number}`, opened.detail)
  return await pagesAlone(context, opened.path, { objects: opened.objects, pages: [page], limits })
}

async function drawPage(context: ToolContext, path: string, options: PageOptions): Promise<PagePicture> {
  const page = options.page ?? 1
  const format = options.format ?? 'jpeg'
  const root = join(context.cwd, `page-${page}`)
  const output = `${root}.${format === 'jpeg' ? 'jpg' : 'png'}`
  const { stderrTail } = await context.runner.run({
    tool: 'pdftoppm',
    args: [
      ['-f', String(page), '-l', String(page), '-singlefile'],
      ['-cropbox'],
      format === 'jpeg' ? ['-jpeg', '-jpegopt', 'quality=82,optimize=y'] : [`-${format}`],
      ['-scale-to', String(options.maxSidePx ?? 1280)],
      [path, root],
    ].flat(),
    limits: RENDER_LIMITS,
    cwd: context.cwd,
    reads: [path, await chooseFonts(context)],
    writes: [output],
    signal: context.signal,
  })
  // pdftoppm exits with 0 also if it has drawn nothing.
  const made = await stat(output).catch(() => null)
  if (!made || made.size === 0) {
    throw new ToolError('INPUT_UNREADABLE', 'input', `page ${page} could not be drawn`, stderrTail)
  }
  return { path: output, bytes: made.size, contentType: format === 'jpeg' ? 'image/jpeg' : 'image/png' }
}
