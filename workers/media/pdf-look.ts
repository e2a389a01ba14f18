// Checks the pages of a PDF with poppler, within a few seconds of CPU time: which have syntax errors, and which cannot be
// drawn. Texts are read without decoding pictures, so the time depends on the number of pages, not on scans. Only the
// first page, the last, and those with errors are drawn.

import { chooseFonts } from './pdf-fonts.ts'
import { isBlank, readGrayMap } from './pdf-ink.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits } from './run.ts'
import { isLimit, ToolError } from './tool-error.ts'

export type PageLook = {
  /** Numbers of pages that have errors but are drawn; at most {@link MAX_NAMED}. */
  flawed: number[]
  /** Numbers of pages that are not drawn. */
  undrawn: number[]
  /** For at least one of them poppler made no picture at all, not even an empty one. */
  gaveUp: boolean
  /** The limit of CPU time or memory was reached while reading the pages, or while drawing one. */
  overLimit: 'reading' | 'drawing' | null
}

export type LookOptions = { pages: number; reading: ToolLimits; drawing: ToolLimits }

/** Most pages with errors that are searched for, drawn and reported. */
export const MAX_NAMED = 8
/** Finding one of 1,000 pages by bisection takes twenty runs. */
const MAX_RUNS = 48

/** @throws {ToolError} `INPUT_UNREADABLE` if poppler cannot open the file; a limit reached while opening it; system errors */
export async function checkPages(context: ToolContext, path: string, options: LookOptions): Promise<PageLook> {
  const look: PageLook = { flawed: [], undrawn: [], gaveUp: false, overLimit: null }
  const fonts = await chooseFonts(context)
  const eyes: Eyes = { context, path, fonts, options, usual: new Set() }
  // Messages about the complete file are repeated with each page.
  eyes.usual = await errorsOf(eyes, 'pdfinfo', [path], options.reading, { throws: true })
  const wrong = await pagesWithErrors(eyes)
  if (wrong === 'limit') return { ...look, overLimit: 'reading' }
  for (const page of new Set([1, options.pages, ...wrong])) {
    const { drawn, errors } = await draw(eyes, page)
    if (drawn === 'nothing') look.gaveUp = true
    if (drawn === 'limit') look.overLimit = 'drawing'
    const isWrong = wrong.includes(page)
    const isLost = drawn === 'blank' && isGrave([...errors, ...(isWrong ? await wordsOf(eyes, page, page) : [])])
    if (drawn === 'nothing' || isLost) look.undrawn.push(page)
    else if (isWrong) look.flawed.push(page)
  }
  return look
}

/**
 * Poppler's number of pages, for files for which qpdf reached a limit.
 *
 * @throws {ToolError} as {@link checkPages}
 */
export async function countPages(context: ToolContext, path: string, limits: ToolLimits): Promise<number | null> {
  const { stdout } = await context.runner.run({
    tool: 'pdfinfo',
    args: [path],
    limits,
    cwd: context.cwd,
    reads: [path],
    signal: context.signal,
  })
  const [, pages] = /^Pages:\s+(\d+)$/m.exec(stdout.toString('latin1')) ?? []
  return pages === undefined ? null : Number(pages)
}

type Eyes = {
  context: ToolContext
  path: string
  /** Other files that the tools read. */
  fonts: string
  options: LookOptions
  usual: ReadonlySet<string>
}

/** Messages about things that viewers replace without loss: fonts, character tables, links. */
const REPLACED = /font|cmap|character collection|language pack|annot|destination|structure|action/i
const ERROR = /^(Syntax|Internal) Error/
/** Messages about one operator that is skipped; the others are drawn. */
const LEFT_OUT = /Unknown operator|Restoring state|No current point|Too (many|few) .*args|Bad .*operator|wrong type/i
/** Random bytes read as operators give many different messages. */
const FEW = 4

/** Whether the errors explain why a page is white. A page may be white on purpose, and contain a wrong operator. */
function isGrave(errors: readonly string[]): boolean {
  const different = new Set(errors)
  return different.size > FEW || [...different].some((error) => !LEFT_OUT.test(error))
}

/** The distinct error messages of one run. A crash of the tool counts as one more. */
async function errorsOf(
  { context, path, fonts, usual }: Eyes,
  tool: string,
  args: readonly string[],
  limits: ToolLimits,
  { onStdout = () => undefined, throws = false }: { onStdout?: (chunk: Buffer) => void; throws?: boolean } = {},
): Promise<Set<string>> {
  const errors = new Set<string>()
  try {
    await context.runner.run({
      tool,
      args,
      limits,
      cwd: context.cwd,
      reads: [path, fonts],
      signal: context.signal,
      onStdout,
      onStderrLine(line) {
        if (ERROR.test(line) && !REPLACED.test(line) && !usual.has(line) && errors.size < 100) errors.add(line)
      },
    })
  } catch (error) {
    if (throws || !(error instanceof ToolError) || error.source !== 'input' || isLimit(error)) throw error
    errors.add(error.message)
  }
  return errors
}

/** The errors of poppler when it reads the text of these pages. */
async function wordsOf(eyes: Eyes, first: number, last: number): Promise<Set<string>> {
  const args = ['-f', String(first), '-l', String(last), eyes.path, '-']
  return await errorsOf(eyes, 'pdftotext', args, eyes.options.reading)
}

/** Bisection, because poppler's messages name the byte, not the page. */
async function pagesWithErrors(eyes: Eyes): Promise<number[] | 'limit'> {
  const found: number[] = []
  const read = async (first: number, last: number): Promise<boolean> => (await wordsOf(eyes, first, last)).size > 0
  try {
    const halves: [number, number][] = (await read(1, eyes.options.pages)) ? [[1, eyes.options.pages]] : []
    let runs = 0
    for (let half = halves.pop(); half !== undefined && found.length < MAX_NAMED; half = halves.pop()) {
      const [first, last] = half
      // The limit of runs is reached: the rest is reported by its first page.
      if (first === last || runs > MAX_RUNS) {
        found.push(first)
        continue
      }
      const middle = Math.floor((first + last) / 2)
      runs += 2
      if (await read(middle + 1, last)) halves.push([middle + 1, last])
      if (await read(first, middle)) halves.push([first, middle])
    }
  } catch (error) {
    if (isLimit(error)) return 'limit'
    throw error
  }
  return found
}

type Drawn = { drawn: 'drawn' | 'blank' | 'nothing' | 'limit'; errors: ReadonlySet<string> }

async function draw(eyes: Eyes, page: number): Promise<Drawn> {
  const chunks: Buffer[] = []
  const args = ['-gray', '-cropbox', '-scale-to', '120', '-f', String(page), '-l', String(page), eyes.path]
  try {
    const onStdout = (chunk: Buffer) => chunks.push(chunk)
    const errors = await errorsOf(eyes, 'pdftoppm', args, eyes.options.drawing, { onStdout })
    const pixels = readGrayMap(Buffer.concat(chunks))
    if (pixels === null) return { drawn: 'nothing', errors }
    return { drawn: isBlank(pixels) ? 'blank' : 'drawn', errors }
  } catch (error) {
    if (isLimit(error)) return { drawn: 'limit', errors: new Set() }
    throw error
  }
}
