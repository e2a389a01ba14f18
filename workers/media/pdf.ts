// A PDF judged by qpdf: is it whole, does it open without a password, how many pages does its tree really have, and does
// it carry anything that acts. All of it as a separate process under limits; nothing of the file is parsed in ours
// but its first and last kibibytes.

import { type ActiveContent, activeContentReader, type PageCount, pageReader } from './pdf-objects.ts'
import type { ToolContext } from './probe.ts'
import type { ToolLimits, ToolResult } from './run.ts'
import type { LocalSource, MediaSource } from './source.ts'
import { ToolError } from './tool-error.ts'

export type { ActiveContent } from './pdf-objects.ts'

/** `INCOMPLETE` is damage that looks like a transfer cut short: the end is missing. */
export type PdfProblem = 'NOT_PDF' | 'DAMAGED' | 'INCOMPLETE' | 'PASSWORD'

export type PdfReport = {
  problem: PdfProblem | null
  /** Pages found by walking the tree; null where there is a problem. */
  pages: number | null
  /** What the root of the tree claims (`/Count`); where it differs from `pages`, viewers disagree about the file. */
  claimedPages: number | null
  maxImagesPerPage: number
  /** Encrypted at all; without `PASSWORD` it opens for everybody and only restricts printing or copying. */
  encrypted: boolean
  active: ActiveContent[]
  /** qpdf opened it, with complaints. */
  warnings: boolean
  /** For logs, in English. */
  detail: string
}

/** What else {@link inspectPdf} needs besides the file. */
export type PdfOptions = { limits?: Partial<ToolLimits> }

export const PDF_LIMITS: ToolLimits = {
  // Processor time decides, so that a busy machine does not turn a file's doing into ours.
  wallMs: 180_000,
  cpuSeconds: 40,
  memoryBytes: 2 * 1024 ** 3,
  outputBytes: 512 * 1024 * 1024,
  fileBytes: 1024 * 1024,
}

/** By a password, or by a certificate or a program that only some people have. */
const LOCKED = /invalid password|unsupported encryption filter/

const HEAD_BYTES = 1024 + 5
const TAIL_BYTES = 4096

/**
 * Inspects a PDF.
 *
 * @throws {ToolError} when a tool is missing, killed or over its limits; whatever is wrong with the file is a `problem`
 */
export async function inspectPdf(
  context: ToolContext,
  source: LocalSource,
  options: PdfOptions = {},
): Promise<PdfReport> {
  const report: PdfReport = {
    problem: null,
    pages: null,
    claimedPages: null,
    maxImagesPerPage: 0,
    encrypted: false,
    active: [],
    warnings: false,
    detail: '',
  }
  const head = await source.readAt(0, HEAD_BYTES)
  if (!head.includes('%PDF-', 0, 'latin1'))
    return { ...report, problem: 'NOT_PDF', detail: 'no %PDF- in the first KiB' }
  const ended = await hasEnd(source)
  const qpdf = qpdfRunner(context, source.path, options)

  const check = await qpdf.run(['--check'], [0, 2, 3])
  // The last line of the output is what made it give up.
  const detail = check.stderrTail.trim().slice(-500)
  if (check.code === 2 && LOCKED.test(check.stderrTail)) {
    return { ...report, problem: 'PASSWORD', encrypted: true, detail }
  }
  const lost = ended ? 'DAMAGED' : 'INCOMPLETE'
  if (check.code === 2) return { ...report, problem: lost, detail }
  const rebuilt = /Attempting to reconstruct cross-reference table/.test(check.stderrTail)
  if (rebuilt && !ended) return { ...report, problem: 'INCOMPLETE', detail }

  const counted = await qpdf.pages()
  // A sound file may be empty; in one that had to be mended the pages are lost.
  if (counted === null || (counted.pages === 0 && check.code === 3))
    return { ...report, problem: lost, detail: detail || 'no page in the tree' }
  // Exit 2 also means "broken" here, which has been ruled out: 2 is "not encrypted", 3 "opens without a password".
  const password = await qpdf.run(['--requires-password'], [0, 2, 3])
  return {
    problem: null,
    ...counted,
    claimedPages: await qpdf.claimedPages(),
    encrypted: password.code === 3,
    active: await qpdf.active(),
    warnings: check.code === 3,
    detail,
  }
}

/** Whether the end mark stands where it belongs; scanners pad behind it with zeros or blank lines. */
async function hasEnd(source: MediaSource): Promise<boolean> {
  for (let end = source.bytes; end > 0; ) {
    const start = Math.max(0, end - TAIL_BYTES)
    const tail = await source.readAt(start, end - start)
    if (tail.includes('%%EOF', 0, 'latin1')) return true
    const padding = tail.every((byte) => byte === 0 || byte === 0x0a || byte === 0x0d || byte === 0x20)
    // A mark cut in two by the padding's edge is looked for once more with the bytes before it.
    if (!padding || source.bytes - start > 1024 * 1024) return false
    end = start + Math.min(8, end - start - 1)
  }
  return false
}

type Qpdf = {
  run(args: readonly string[], okCodes: readonly number[]): Promise<ToolResult>
  /** Null: the tree cannot be walked (loops, no root). */
  pages(): Promise<PageCount | null>
  claimedPages(): Promise<number | null>
  active(): Promise<ActiveContent[]>
}

function qpdfRunner(context: ToolContext, path: string, options: PdfOptions): Qpdf {
  const run = async (
    args: readonly string[],
    okCodes: readonly number[],
    onStdout?: (chunk: Buffer) => void,
  ): Promise<ToolResult> =>
    await context.runner.run({
      tool: 'qpdf',
      // The name follows `--`-less in qpdf, but it is absolute and ours.
      args: [...args, path],
      limits: { ...PDF_LIMITS, ...options.limits },
      cwd: context.cwd,
      reads: [path],
      signal: context.signal,
      okCodes,
      ...(onStdout && { onStdout }),
    })
  return {
    run,
    async pages() {
      const reader = pageReader()
      const walked = await run(['--json=2', '--json-key=pages'], [0, 3], reader.push).catch(nullOnUnreadable)
      return walked && reader.count()
    },
    async claimedPages() {
      const { stdout } = await run(['--show-npages'], [0, 2, 3])
      const claim = Number.parseInt(stdout.toString('latin1'), 10)
      return Number.isSafeInteger(claim) ? claim : null
    },
    async active() {
      const reader = activeContentReader()
      await run(['--json=2', '--json-key=qpdf'], [0, 3], reader.push)
      return reader.found()
    },
  }
}

function nullOnUnreadable(error: unknown): null {
  if (error instanceof ToolError && error.code === 'INPUT_UNREADABLE') return null
  throw error
}
