// Pictures of PDF pages by poppler's pdftoppm: one page for people to see, all pages tiny to find blank ones.
// That a first page can be drawn is also the proof that the file opens.

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'
import { ToolError } from './tool-error.ts'

export const RENDER_LIMITS: ToolLimits = {
  // Processor time decides: a drawing of a hundred million strokes is the file's doing, a busy machine is ours.
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
  /** Longer side in pixels; default 1280. The picture is drawn at this size, however large the page claims to be. */
  maxSidePx?: number
  format?: 'jpeg' | 'png'
}

/**
 * Draws one page into the scratch folder.
 *
 * @throws {ToolError} `INPUT_UNREADABLE` when there is no picture to be had
 */
export async function renderPage(
  context: ToolContext,
  path: string,
  options: PageOptions = {},
): Promise<PagePicture> {
  try {
    return await drawPage(context, path, options)
  } catch (error) {
    if (!(error instanceof ToolError && error.code === 'INPUT_UNREADABLE')) throw error
    // poppler gives up on trees whose count is wrong, which other viewers show: the page alone has a new tree.
    const alone = await pageAlone(context, path, options.page ?? 1)
    return await drawPage(context, alone, { ...options, page: 1 })
  }
}

/** A document of that page only, written by qpdf. Exit 3: with complaints. */
async function pageAlone(context: ToolContext, path: string, page: number): Promise<string> {
  const alone = join(context.cwd, `alone-${page}.pdf`)
  await context.runner.run({
    tool: 'qpdf',
    args: ['--empty', '--pages', path, String(page), '--', alone],
    limits: { ...RENDER_LIMITS, fileBytes: 256 * 1024 * 1024 },
    cwd: context.cwd,
    reads: [path],
    writes: [alone],
    signal: context.signal,
    okCodes: [0, 3],
  })
  return alone
}

async function drawPage(context: ToolContext, path: string, options: PageOptions): Promise<PagePicture> {
  const page = options.page ?? 1
  const format = options.format ?? 'jpeg'
  const root = join(context.cwd, `page-${page}`)
  const output = `${root}.${format === 'jpeg' ? 'jpg' : 'png'}`
  const { stderrTail } = await context.runner.run({
    tool: 'pdftoppm',
    args: [
      ...['-f', String(page), '-l', String(page), '-singlefile', `-${format}`],
      ...(format === 'jpeg' ? ['-jpegopt', 'quality=82,optimize=y'] : []),
      ...['-scale-to', String(options.maxSidePx ?? 1280), path, root],
    ],
    limits: RENDER_LIMITS,
    cwd: context.cwd,
    reads: [path],
    writes: [output],
    signal: context.signal,
  })
  // pdftoppm leaves with 0 also when it has drawn nothing.
  const made = await stat(output).catch(() => null)
  if (!made || made.size === 0) {
    throw new ToolError('INPUT_UNREADABLE', 'input', `page ${page} could not be drawn`, stderrTail)
  }
  return { path: output, bytes: made.size, contentType: format === 'jpeg' ? 'image/jpeg' : 'image/png' }
}

/** Of one page: the share of pixels that are not paper, 0 to 1. */
export type PageInk = { page: number; ink: number }

/** Below this a page is blank: a page number alone is more. */
export const BLANK_INK = 0.0004

/**
 * Measures how much is printed on each page. By drawing, not by text: school papers are often scans.
 *
 * @param maxPages only so many from the start are looked at
 */
export async function measureInk(context: ToolContext, path: string, maxPages: number): Promise<PageInk[]> {
  const { stdout } = await context.runner.run({
    tool: 'pdftoppm',
    args: ['-gray', '-scale-to', '200', '-f', '1', '-l', String(maxPages), path],
    limits: RENDER_LIMITS,
    cwd: context.cwd,
    reads: [path],
    signal: context.signal,
  })
  return readGrayMaps(stdout).map((pixels, i) => ({ page: i + 1, ink: inkOf(pixels) }))
}

/** The pictures of a PGM stream (`P5 width height 255` and the pixels), one after the other. */
export function readGrayMaps(stream: Buffer): Buffer[] {
  const maps: Buffer[] = []
  for (let at = 0; at < stream.length; ) {
    const header = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(stream.toString('latin1', at, at + 64))
    if (!header) break
    const start = at + header[0].length
    const end = start + Number(header[1]) * Number(header[2])
    if (end > stream.length) break
    maps.push(stream.subarray(start, end))
    at = end
  }
  return maps
}

/** The paper is the commonest bright shade, as scans are seldom white; ink is what is clearly darker or lighter. */
function inkOf(pixels: Buffer): number {
  if (pixels.length === 0) return 0
  const counts = new Uint32Array(256)
  for (const value of pixels) counts[value] = (counts[value] ?? 0) + 1
  let paper = 255
  counts.forEach((count, value) => {
    if (count > (counts[paper] ?? 0)) paper = value
  })
  let ink = 0
  counts.forEach((count, value) => {
    if (Math.abs(value - paper) > 40) ink += count
  })
  return ink / pixels.length
}
