// PDFs of office programs, scanners and tools; PDFs that no viewer opens; PDFs with active content.

import { cutAt } from '../../../test/support/media/damage.ts'
import { onePage } from '../../../test/support/media/pdf-build.ts'
import {
  certificatePdf,
  converted,
  deepTree,
  detached,
  loopedTable,
  noPages,
  page,
  scan,
  withJunkInFront,
  written,
  wrongTable,
} from '../../../test/support/media/pdf-kinds.ts'
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
} from '../../../test/support/media/pdfs.ts'
import type { Expected, Make, Row } from '../model.ts'
import { OUTCOME, PLAN, rowsOf } from './places.ts'

const doc = rowsOf('pdf', PLAN, { kind: 'pdf', container: 'pdf' })
const pages = (count: number): Partial<Expected> => ({ measured: { pages: count } })
const DAMAGED: Partial<Expected> = { state: 'rejected', problems: { PDF_DAMAGED: 'reject' } }
const LOCKED: Partial<Expected> = {
  state: 'rejected',
  problems: { PDF_PASSWORD: 'reject' },
  measured: { encrypted: true },
}
const acts = (...activeContent: string[]): Partial<Expected> => ({
  state: 'rejected',
  problems: { PDF_ACTIVE_CONTENT: 'reject' },
  measured: { activeContent },
})
const plain =
  (count: number): Make =>
  (c) =>
    pdf(c, `plain-${count}.pdf`, { pages: count })
const catalog =
  (name: string, entries: string): Make =>
  (c) =>
    page(c, name, { catalog: entries })
const cutPlain =
  (name: string, at: number): Make =>
  async (c) =>
    await cutAt(c, await pdf(c, 'plain-10.pdf', { pages: 10 }), name, at)

const SOUND: readonly Row[] = [
  doc('pdf-plain', 'three pages of text', plain(3), { expect: pages(3) }),
  doc('pdf-300', '300 pages', plain(300), { expect: pages(300) }),
  doc('pdf-scan', 'a scanned page: a picture and no text', scan, { expect: pages(1) }),
  doc(
    'pdf-object-streams',
    'objects packed into streams',
    (c) => converted(c, 'packed.pdf', ['--object-streams=generate']),
    { expect: pages(3) },
  ),
  doc('pdf-linearised', 'arranged for the web', (c) => converted(c, 'linear.pdf', ['--linearize']), {
    expect: pages(3),
  }),
  doc('pdf-junk-in-front', '1 KiB of something else in front', (c) => withJunkInFront(c), {
    expect: pages(2),
  }),
  doc(
    'pdf-padded',
    'zeros behind the end, as from a tape',
    (c) => written(c, 'padded.pdf', Buffer.concat([onePage(), Buffer.alloc(10_000)])),
    { expect: pages(1) },
  ),
  doc('pdf-wrong-table', 'a table of objects that points nowhere', wrongTable, { expect: pages(2) }),
  doc('pdf-looped-table', 'tables of objects that name each other as the one before', loopedTable, {
    expect: pages(1),
  }),
  doc('pdf-deep-tree', 'one page below 400 levels of a tree', (c) => deepTree(c, 400), { expect: pages(1) }),
  doc(
    'pdf-large-sheet',
    'a sheet of 70 by 70 metres',
    (c) => page(c, 'large.pdf', { mediaBox: '[0 0 200000 200000]' }),
    { expect: pages(1) },
  ),
  doc(
    'pdf-speck',
    'a sheet of a third of a millimetre: taken, though it cannot be drawn',
    (c) => page(c, 'speck.pdf', { mediaBox: '[0 0 1 1]' }),
    {
      expect: { ...pages(1), renditions: { page: { state: 'failed', reason: 'INPUT_UNREADABLE' } } },
    },
  ),
  doc('pdf-tiny-sheet', 'a sheet of 7 by 4 millimetres', (c) => page(c, 'tiny.pdf', { mediaBox: '[0 0 20 10]' }), {
    expect: pages(1),
  }),
  doc(
    'pdf-ribbon',
    'a sheet of five metres by a third of a millimetre',
    (c) => page(c, 'ribbon.pdf', { mediaBox: '[0 0 14400 1]' }),
    { expect: pages(1) },
  ),
  doc('pdf-without-last-line', 'all but the end mark is there', cutPlain('endless.pdf', -6), {
    expect: pages(10),
  }),
  doc('pdf-restricted', 'opens for everybody; printing needs the owner’s password', (c) => lockedPdf(c, 'owner'), {
    expect: { problems: { PDF_RESTRICTED: 'advise' }, measured: { pages: 2, encrypted: true } },
  }),
  doc('pdf-open-at', 'opens at the first page, as word processors write it', openActionPdf, {
    expect: { measured: { pages: 2, activeContent: ['OPEN_ACTION'] } },
  }),
  doc('pdf-words-about-scripts', 'only its text speaks of scripts', talkingPdf, {
    expect: { measured: { pages: 2, activeContent: [] } },
  }),
  doc('pdf-detached', 'an attachment was removed; its empty list is left', detached, {
    expect: { measured: { pages: 2, activeContent: [] } },
  }),
  doc(
    'pdf-no-scripts',
    'an empty list of scripts, as some editors leave it',
    catalog('no-scripts.pdf', '/Names << /JavaScript << /Names [] >> >>'),
    {
      expect: { measured: { pages: 1, activeContent: [] } },
    },
  ),
  doc(
    'pdf-link',
    'a link to a web page',
    (c) =>
      page(c, 'link.pdf', {
        page: '/Annots [<< /Type /Annot /Subtype /Link /Rect [40 190 300 230] /A << /S /URI /URI (https://example.org/) >> >>]',
      }),
    {
      expect: pages(1),
    },
  ),
  doc(
    'pdf-form',
    'a form to be filled in, without actions',
    catalog('form.pdf', '/AcroForm << /Fields [] /DA (/Helv 0 Tf) >>'),
    { expect: pages(1) },
  ),
]

const COUNTS: readonly Row[] = [
  doc('pdf-no-page', 'sound, and without a single page', noPages, {
    expect: { state: 'rejected', problems: { PDF_TOO_FEW_PAGES: 'reject' }, measured: { pages: 0 } },
  }),
  doc('pdf-claims-nine', '2 pages; the tree claims 9', (c) => pdf(c, 'claims-nine.pdf', { count: 9 }), {
    expect: pages(2),
  }),
  doc('pdf-claims-one', '12 pages; the tree claims one', (c) => pdf(c, 'claims-one.pdf', { pages: 12, count: 1 }), {
    place: OUTCOME,
    expect: { state: 'rejected', problems: { PDF_TOO_MANY_PAGES: 'reject' }, measured: { pages: 12 } },
  }),
]

const BROKEN: readonly Row[] = [
  doc('pdf-cut', '60 % of it', async (c) => cutPlain('cut.pdf', 2200)(c, { url: '', secretPath: '' }), {
    expect: DAMAGED,
  }),
  doc('pdf-cut-linear', '60 % of one arranged for the web, which tools repair', truncatedLinearPdf, {
    expect: DAMAGED,
  }),
  doc('pdf-cut-early', 'its first hundred bytes', cutPlain('cut-early.pdf', 100), { expect: DAMAGED }),
  doc(
    'pdf-no-tree',
    'a catalog without pages',
    (c) =>
      written(
        c,
        'treeless.pdf',
        Buffer.from(onePage().toString('latin1').replace('/Pages 2 0 R', '/Pages 9 0 R'), 'latin1'),
      ),
    {
      expect: DAMAGED,
    },
  ),
  doc('pdf-password', 'nobody opens it without the password', (c) => lockedPdf(c, 'user'), {
    expect: LOCKED,
  }),
  doc('pdf-certificate', 'for the owner of one certificate only', certificatePdf, { expect: LOCKED }),
]

const ACTIVE: readonly Row[] = [
  doc('pdf-script', 'a script, under an escaped name', scriptPdf, {
    expect: acts('JAVASCRIPT', 'OPEN_ACTION'),
  }),
  doc('pdf-script-packed', 'a script in a packed object', compressedScriptPdf, {
    expect: acts('JAVASCRIPT', 'OPEN_ACTION'),
  }),
  doc(
    'pdf-named-script',
    'a script in the list of scripts',
    catalog('named.pdf', '/Names << /JavaScript << /Names [(a) << /S /JavaScript /JS (app.alert\\(1\\)) >>] >> >>'),
    {
      expect: acts('JAVASCRIPT'),
    },
  ),
  doc(
    'pdf-script-of-page',
    'a script when the page is opened',
    (c) => page(c, 'page-script.pdf', { page: '/AA << /O << /S /JavaScript /JS (app.alert\\(1\\)) >> >>' }),
    {
      expect: acts('JAVASCRIPT', 'PAGE_ACTION'),
    },
  ),
  doc('pdf-launch', 'starts a program', launchPdf, { expect: acts('LAUNCH', 'OPEN_ACTION') }),
  doc('pdf-attachment', 'carries a file', attachmentPdf, { expect: acts('EMBEDDED_FILE') }),
  doc(
    'pdf-submit',
    'sends its form somewhere',
    catalog('submit.pdf', '/OpenAction << /S /SubmitForm /F (http://example.org/) >>'),
    { expect: acts('OPEN_ACTION', 'SUBMIT_FORM') },
  ),
  doc('pdf-xfa', 'a form that is a program', catalog('xfa.pdf', '/AcroForm << /Fields [] /XFA [(a) 4 0 R] >>'), {
    expect: acts('XFA'),
  }),
]

export const PDF: readonly Row[] = [...SOUND, ...COUNTS, ...BROKEN, ...ACTIVE]
