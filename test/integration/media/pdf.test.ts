// PDFs by the real qpdf and poppler: counts that lie, locks, cuts, and what acts.

import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inspectPdf, type PdfReport } from '../../../workers/media/pdf.ts'
import { renderPage } from '../../../workers/media/pdf-page.ts'
import type { ToolContext } from '../../../workers/media/probe.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { noise, renamed, truncated, zeroBytes } from '../../support/media/hostile.ts'
import {
  bookOf,
  emptyOwner,
  nestedFilters,
  RUINED,
  SLIPSHOD,
  scannedBook,
  thaiLetter,
  tinyTiles,
} from '../../support/media/pdf-flaws.ts'
import { certificatePdf, detached, multiplying, noPages, page, written } from '../../support/media/pdf-kinds.ts'
import {
  attachmentPdf,
  compressedScriptPdf,
  launchPdf,
  lockedPdf,
  openActionPdf,
  pdf,
  scriptPdf,
  talkingPdf,
  truncatedLinearPdf,
} from '../../support/media/pdfs.ts'
import { lesson } from '../../support/media/videos.ts'

const noScripts = (corpus: Corpus) =>
  page(corpus, 'no-scripts.pdf', { catalog: '/Names << /JavaScript << /Names [] >> >>' })

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

const inspect = async (path: string): Promise<PdfReport> => inspectPdf(context, await fileSource(path))

describe('a valid PDF', () => {
  it.each([1, 3, 25])('of %i pages', async (pages) => {
    expect(await inspect(await pdf(corpus, `sound-${pages}.pdf`, { pages }))).toEqual({
      problem: null,
      pages,
      claimedPages: pages,
      encrypted: false,
      active: [],
      flawedPages: [],
      undrawnPages: [],
      unchecked: false,
      detail: '',
    })
  })

  it('that everybody can open but not print is accepted, and marked as encrypted', async () => {
    expect(await inspect(await lockedPdf(corpus, 'owner'))).toMatchObject({
      problem: null,
      pages: 2,
      encrypted: true,
    })
  })

  it('keeps its end mark before padding', async () => {
    const source = await pdf(corpus, 'plain.pdf')
    const padded = await corpus.file('padded.pdf', async (path) => {
      const { writeFile } = await import('node:fs/promises')
      await writeFile(path, Buffer.concat([await readFile(source), Buffer.alloc(10_000)]))
    })
    expect(await inspect(padded)).toMatchObject({ problem: null, pages: 2 })
  })
})

describe('a PDF that cannot be accepted', () => {
  it('needs a password', async () => {
    expect(await inspect(await lockedPdf(corpus, 'user'))).toMatchObject({ problem: 'PASSWORD', pages: null })
  })

  it('opens only with a certificate', async () => {
    expect(await inspect(await certificatePdf(corpus))).toMatchObject({
      problem: 'PASSWORD',
      encrypted: true,
    })
  })

  it('is cut off', async () => {
    const source = await pdf(corpus, 'ten.pdf', { pages: 10 })
    const path = await truncated(corpus, source, 0.6, 'cut.pdf')
    expect(await inspect(path)).toMatchObject({ problem: 'INCOMPLETE', pages: null })
  })

  it('is truncated, although it is linearized and qpdf repairs it', async () => {
    const report = await inspect(await truncatedLinearPdf(corpus))
    expect(['INCOMPLETE', 'DAMAGED']).toContain(report.problem)
  })

  it.each([
    ['a video called .pdf', async (c: Corpus) => renamed(c, await lesson(c), 'video.pdf')],
    ['noise', noise],
    ['nothing', zeroBytes],
  ] as const)('is %s', async (_name, maker) => {
    expect(await inspect(await maker(corpus))).toMatchObject({ problem: 'NOT_PDF' })
  })
})

describe('the number of pages', () => {
  it('may be zero in a valid file, which is not damaged', async () => {
    expect(await inspect(await noPages(corpus))).toMatchObject({ problem: null, pages: 0 })
  })

  it('is counted in the tree, not read from /Count', async () => {
    expect(await inspect(await pdf(corpus, 'claims-nine.pdf', { pages: 2, count: 9 }))).toMatchObject({
      pages: 2,
      claimedPages: 9,
    })
    expect(await inspect(await pdf(corpus, 'claims-one.pdf', { pages: 12, count: 1 }))).toMatchObject({
      pages: 12,
      claimedPages: 1,
    })
  })

  it('does not hang on a tree that contains itself', async () => {
    const path = await corpus.file('loop.pdf', async (target) => {
      const { writeFile } = await import('node:fs/promises')
      const bytes = await readFile(await pdf(corpus, 'plain.pdf'), 'latin1')
      await writeFile(target, bytes.replace('/Kids [3 0 R 5 0 R]', '/Kids [3 0 R 2 0 R]'), 'latin1')
    })
    const report = await inspect(path)
    expect(report.pages === null || report.pages <= 2).toBe(true)
  })
})

describe('active content', () => {
  it.each([
    ['a script, under an escaped name', scriptPdf, ['JAVASCRIPT', 'OPEN_ACTION']],
    ['a script in a compressed object', compressedScriptPdf, ['JAVASCRIPT', 'OPEN_ACTION']],
    ['a program', launchPdf, ['LAUNCH', 'OPEN_ACTION']],
    ['an attachment', attachmentPdf, ['EMBEDDED_FILE']],
    ['nothing but the first view', openActionPdf, ['OPEN_ACTION']],
    ['nothing but words about it', talkingPdf, []],
    ['nothing but the empty list of attachments that were removed', detached, []],
    ['nothing but an empty list of scripts', noScripts, []],
  ] as const)('is found: %s', async (_name, maker, active) => {
    expect(await inspect(await maker(corpus))).toMatchObject({ problem: null, active })
  })
})

describe('pictures of pages', () => {
  it('are drawn within the size asked for', async () => {
    const path = await pdf(corpus, 'sound-3.pdf', { pages: 3 })
    const picture = await renderPage(context, path, { page: 2, maxSidePx: 400 })
    const bytes = await readFile(picture.path)
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]))
    expect(picture).toMatchObject({ bytes: bytes.length, contentType: 'image/jpeg' })
    const png = await readFile((await renderPage(context, path, { format: 'png', maxSidePx: 400 })).path)
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([283, 400])
  })

  it('are drawn of a file with a wrong /Count, which poppler itself refuses', async () => {
    const path = await pdf(corpus, 'claims-nine.pdf', { pages: 2, count: 9 })
    const { bytes } = await renderPage(context, path, { maxSidePx: 300 })
    expect(bytes).toBeGreaterThan(1000)
  })

  it('cannot be drawn of an encrypted file', async () => {
    const run = renderPage(context, await lockedPdf(corpus, 'user'))
    await expect(run).rejects.toMatchObject({ code: 'INPUT_UNREADABLE', source: 'input' })
  })
})

describe('Thai letters in a font that is not embedded', () => {
  // Fonts without Thai letters draw the same box for each of them.
  it.each(['AngsanaNew', 'THSarabunPSK-Bold', 'Tahoma', 'TimesNewRomanPSMT', 'Helvetica', 'NobodyKnowsThis'])(
    'are not drawn as boxes: %s',
    async (font) => {
      const drawn = async (letter: string) =>
        await readFile(
          (
            await renderPage(context, await thaiLetter(corpus, font, letter), {
              format: 'png',
              maxSidePx: 100,
            })
          ).path,
        )
      const [one, again, other] = [await drawn('uni0E01'), await drawn('uni0E01'), await drawn('uni0E28')]
      expect(one.equals(again)).toBe(true)
      expect(one.equals(other)).toBe(false)
    },
  )
})

describe('errors in a PDF', () => {
  it.each([
    ['in the middle of a book', 20, SLIPSHOD, [7], []],
    ['so that nothing is left of it', 20, RUINED, [], [7]],
  ] as const)('one page %s is reported', async (_, pages, content, flawedPages, undrawnPages) => {
    const path = await written(corpus, `page-seven-${flawedPages.length}.pdf`, bookOf(pages, { 7: content }))
    expect(await inspect(path)).toMatchObject({ problem: null, pages, flawedPages, undrawnPages })
  })

  it('the search for errors is limited if every page has some', async () => {
    const pages = Array.from({ length: 60 }, (_, i) => [i + 1, SLIPSHOD] as const)
    const path = await written(corpus, 'all-slipshod.pdf', bookOf(60, Object.fromEntries(pages)))
    expect((await inspect(path)).flawedPages).toHaveLength(8)
  })

  it.each([5, 6] as const)('opens for no reader with an empty owner’s password (revision %i)', async (r) => {
    expect(await inspect(await emptyOwner(corpus, r))).toMatchObject({ problem: 'PASSWORD', encrypted: true })
  })
})

describe('the CPU time of a verdict', () => {
  it('does not grow with the pictures of a book of scans', async () => {
    const small = await usedBy(async () => inspect(await scannedBook(corpus, 10)))
    const large = await usedBy(async () => inspect(await scannedBook(corpus, 100)))
    expect(large.report).toMatchObject({ problem: null, unchecked: false, flawedPages: [] })
    expect(large.report.pages).toBeGreaterThan((small.report.pages ?? 0) * 5)
    expect(large.tools).toBe(small.tools)
  })

  it.each([
    ['of one page that unpacks to 4 GiB', (c: Corpus) => nestedFilters(c, 4)],
    ['of one page of tiny tiles', tinyTiles],
    ['of drawings that draw each other', multiplying],
  ])('is limited to seconds, and the file is reported as too complex: %s', async (_, maker) => {
    const { report, cpuSeconds } = await usedBy(async () => inspect(await maker(corpus)))
    expect(report).toMatchObject({ problem: 'TOO_COMPLEX', pages: null })
    expect(cpuSeconds).toBeLessThan(11)
  })

  /** Tools that were started, and the sum of the seconds that they were allowed. */
  async function usedBy(work: () => Promise<PdfReport>) {
    const inner = context.runner
    let tools = 0
    let cpuSeconds = 0
    context.runner = {
      ...inner,
      run(run) {
        tools++
        cpuSeconds += run.tool === 'pdfinfo' ? 0 : run.limits.cpuSeconds
        return inner.run(run)
      },
    }
    try {
      return { report: await work(), tools, cpuSeconds }
    } finally {
      context.runner = inner
    }
  }
})
