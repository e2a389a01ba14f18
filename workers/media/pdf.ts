// Inspects a PDF as a viewer would see it: whether it opens without a password, the real number of pages, whether all of
// them are drawn, and active content. qpdf lists the objects and poppler draws pages, as separate processes with limits.
// Pictures are decoded only on the first and the last page, so that the cost grows with the number of objects.

import type { ActiveContent } from '../../src/submissions/profiles/schema.ts'
import { readActive } from './pdf-actions.ts'
import { lostContents } from './pdf-contents.ts'
import type { PdfObjects } from './pdf-json.ts'
import { copyingLimits, drawingLimits, isAmplified, listingLimits, readingLimits } from './pdf-limits.ts'
import { checkPages, countPages, MAX_NAMED, type PageLook } from './pdf-look.ts'
import { findEnd } from './pdf-mend.ts'
import { openPdf } from './pdf-open.ts'
import { pagesAlone } from './pdf-pages-alone.ts'
import { pixelsOf } from './pdf-pixels.ts'
import { type PageTree, readTree } from './pdf-tree.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'
import type { LocalSource } from './source.ts'
import { isLimit, ToolError } from './tool-error.ts'

/**
 * `INCOMPLETE`: the end is missing, as after an interrupted transfer. `TOO_COMPLEX`: a small file that needs
 * seconds of CPU time to open, because of what it unpacks to.
 */
export type PdfProblem = 'NOT_PDF' | 'DAMAGED' | 'INCOMPLETE' | 'PASSWORD' | 'TOO_COMPLEX'

export type PdfReport = {
  problem: PdfProblem | null
  /** Pages found by walking the tree; null if there is a problem. */
  pages: number | null
  /** `/Count` of the tree's root; if it differs from `pages`, viewers show different numbers of pages. */
  claimedPages: number | null
  /** Encrypted; without `PASSWORD` it opens for everybody and only restricts printing or copying. */
  encrypted: boolean
  active: ActiveContent[]
  /** Numbers of pages with errors that viewers tolerate. */
  flawedPages: number[]
  /** Numbers of pages that are not drawn. */
  undrawnPages: number[]
  /** It is too large for our limits: not everything was checked. */
  unchecked: boolean
  /** For logs, in English. */
  detail: string
}

const EMPTY: PdfReport = {
  problem: null,
  pages: null,
  claimedPages: null,
  encrypted: false,
  active: [],
  flawedPages: [],
  undrawnPages: [],
  unchecked: false,
  detail: '',
}

const HEAD_BYTES = 1024 + 5
/** A legitimate file below this size is never slow to list. */
const SMALL_BYTES = 1024 * 1024
/** Fewer pixels than this do not explain a drawing time of seconds. */
const MANY_PIXELS = 20e6

/**
 * Inspects a PDF in a local file (with a bucket, copy it to the scratch folder first: the tools must seek).
 *
 * @throws {ToolError} if a tool is missing, killed or exceeds its wall-clock limit; every error of the file is a
 *   `problem`
 */
export async function inspectPdf(context: ToolContext, source: LocalSource): Promise<PdfReport> {
  const head = await source.readAt(0, HEAD_BYTES)
  if (!/%PDF(-|\s?\d\.)/.test(head.toString('latin1')))
    return { ...EMPTY, problem: 'NOT_PDF', detail: 'no %PDF- in the first KiB' }
  const end = await findEnd(source)
  const lost = end === null ? 'INCOMPLETE' : 'DAMAGED'
  const limits = listingLimits(source.bytes)
  try {
    const opened = await openPdf(context, source, { end, limits })
    const { detail, encrypted } = opened
    if (opened.objects === null) return { ...EMPTY, problem: opened.locked ? 'PASSWORD' : lost, encrypted, detail }
    if (opened.rebuilt && end === null) return { ...EMPTY, problem: lost, encrypted, detail }
    const tree = await readTree(opened.objects)
    if (tree === null || lacksPages(tree, opened.complaints))
      return { ...EMPTY, problem: lost, encrypted, detail: detail || 'pages are missing from the tree' }
    const report = {
      ...EMPTY,
      pages: tree.pages.length,
      claimedPages: tree.claimed,
      encrypted,
      active: await readActive(opened.objects, tree),
      detail,
    }
    if (tree.pages.length === 0) return report
    return await withLook(context, source, { path: opened.path, objects: opened.objects, tree, report })
  } catch (error) {
    if (!(error instanceof ToolError) || !isLimit(error)) throw error
    if (source.bytes < SMALL_BYTES) return { ...EMPTY, problem: 'TOO_COMPLEX', detail: error.message }
    return { ...EMPTY, ...(await otherwise(context, source)), unchecked: true, detail: error.message }
  }
}

/** The result of poppler alone, for a file with too many objects to list. */
async function otherwise(
  context: ToolContext,
  { path, bytes }: LocalSource,
): Promise<Pick<PdfReport, 'problem' | 'pages'>> {
  const limits = readingLimits(bytes, 0)
  const pages = await nullOnUnreadable(countPages(context, path, limits), isLimit)
  return pages === 0 ? { problem: 'DAMAGED', pages: null } : { problem: null, pages }
}

/** A valid file may have no pages; in a repaired one they are lost. */
function lacksPages({ pages, missing, claimed }: PageTree, complaints: boolean): boolean {
  if (pages.length === 0) return complaints || missing > 0
  return missing > 0 && (claimed === null || claimed > pages.length)
}

type Opened = { path: string; objects: PdfObjects; tree: PageTree; report: PdfReport }

async function withLook(context: ToolContext, source: LocalSource, opened: Opened): Promise<PdfReport> {
  const { objects, tree, report } = opened
  const pages = tree.pages.length
  const limits = { reading: readingLimits(source.bytes, pages), drawing: drawingLimits(source.bytes) }
  const look = await lookOrNull(context, source, opened, limits)
  if (look === null) return { ...report, problem: 'DAMAGED', pages: null }
  const { overLimit } = look
  const limit = overLimit === 'reading' ? limits.reading : limits.drawing
  const explained = overLimit === 'drawing' && pixelsOf(objects, tree) > MANY_PIXELS
  if (overLimit !== null && !explained && isAmplified(objects.contentBytes(), limit))
    return { ...report, problem: 'TOO_COMPLEX', pages: null, detail: `over the limit of ${overLimit}` }
  const lost = await lostContents(objects, tree)
  const undrawn = named([...look.undrawn, ...lost.whole])
  const flawed = [...look.flawed, ...lost.part, ...tree.loopsAt]
  return {
    ...report,
    undrawnPages: undrawn,
    flawedPages: named(flawed.filter((page) => !undrawn.includes(page))),
    unchecked: overLimit !== null && !explained,
  }
}

/** Sorted, without repeats, and only as many as fit into a sentence. */
function named(pages: readonly number[]): number[] {
  return [...new Set(pages)].sort((a, b) => a - b).slice(0, MAX_NAMED)
}

/**
 * Poppler refuses page trees and cross-reference tables that other viewers accept: then it gets a copy written by qpdf.
 *
 * @returns null if it cannot open the file in any way
 */
async function lookOrNull(
  context: ToolContext,
  { bytes }: LocalSource,
  { path, objects, tree }: Opened,
  limits: { reading: ToolLimits; drawing: ToolLimits },
): Promise<PageLook | null> {
  const pages = tree.pages.length
  const isEven = tree.claimed === pages && tree.missing === 0 && tree.loopsAt.length === 0
  const first = isEven ? await nullOnUnreadable(checkPages(context, path, { pages, ...limits })) : null
  if (first !== null && !first.gaveUp) return first
  const copying = { objects, pages: tree.pages, limits: copyingLimits(bytes) }
  const alone = await nullOnUnreadable(pagesAlone(context, path, copying))
  const second = alone === null ? null : await nullOnUnreadable(checkPages(context, alone, { pages, ...limits }))
  return second ?? first
}

async function nullOnUnreadable<T>(
  work: Promise<T>,
  passes: (error: unknown) => boolean = () => false,
): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (passes(error)) return null
    if (error instanceof ToolError && error.source === 'input' && !isLimit(error)) return null
    throw error
  }
}
