// PDFs with flaws that viewers tolerate, with flaws that they do not, and encrypted ones.

import { noise } from '../../../test/support/media/damage.ts'
import { onePage, stream, TEXT } from '../../../test/support/media/pdf-build.ts'
import {
  bookOf,
  emptyOwner,
  hugeNumber,
  lockedAttachment,
  lostPage,
  lostPointer,
  RUINED,
  SLIPSHOD,
  scannedBook,
  withWebPageBehind,
} from '../../../test/support/media/pdf-flaws.ts'
import { loopedTree, page, written } from '../../../test/support/media/pdf-kinds.ts'
import type { Expected, Place, Row } from '../model.ts'
import { PLAN, rowsOf } from './places.ts'

const doc = rowsOf('pdf', PLAN, { kind: 'pdf', container: 'pdf' })
/** A PDF of 200 MiB is accepted. */
const WORK: Place = { profile: 'education_admin.K4@1', slot: 'academic_work' }
const pages = (count: number): Partial<Expected> => ({ measured: { pages: count } })
const flawed = (count: number, ...flawedPages: number[]): Partial<Expected> => ({
  problems: { PDF_FLAWED: 'warn' },
  measured: { pages: count, flawedPages },
})
const DAMAGED = { state: 'rejected', problems: { PDF_DAMAGED: 'reject' } } as const
const LOCKED: Partial<Expected> = {
  state: 'rejected',
  problems: { PDF_PASSWORD: 'reject' },
  measured: { encrypted: true },
}

const OVERLOOKED: readonly Row[] = [
  doc('pdf-no-hyphen', 'its first line is %PDF1.4', (c) => noHyphen(c), { expect: pages(1) }),
  doc('pdf-web-page-behind', '4 KiB of a web page behind the end', (c) => withWebPageBehind(c, false), {
    expect: pages(3),
  }),
  doc('pdf-web-page-behind-packed', 'the same behind objects packed into streams', (c) => withWebPageBehind(c, true), {
    expect: pages(3),
  }),
  doc('pdf-lost-pointer', 'objects packed into streams; the last line points nowhere', lostPointer, {
    expect: pages(3),
  }),
  doc('pdf-huge-number', 'a count of pages beyond 64 bits', hugeNumber, { expect: pages(1) }),
  doc('pdf-looped-tree', 'the root of the tree is among its own children: skipped', loopedTree, {
    expect: flawed(1, 1),
  }),
  doc(
    'pdf-slipshod-page',
    'one page of twenty has an error that viewers overlook',
    (c) => written(c, 'slipshod.pdf', bookOf(20, { 7: SLIPSHOD })),
    { expect: flawed(20, 7) },
  ),
  doc(
    'pdf-blank-with-slip',
    'a white sheet between others, with an operator that does not exist',
    (c) => written(c, 'blank-slip.pdf', bookOf(3, { 2: stream('', 'q 1 0 nonsense Q') })),
    { expect: flawed(3, 2) },
  ),
  doc(
    'pdf-faint-with-slip',
    'the only sheet is written in light grey, with such an operator',
    (c) => page(c, 'faint-slip.pdf', { content: stream('', `0.93 g ${TEXT} nonsense`) }),
    { expect: flawed(1, 1) },
  ),
  doc(
    'pdf-crop-box',
    'only a strip of the sheet is to be seen',
    (c) => page(c, 'crop.pdf', { page: '/CropBox [0 150 420 300]' }),
    { expect: { ...pages(1), renditions: { page: { state: 'ready', width: 1528, height: 546 } } } },
  ),
]

const BEYOND_HELP: readonly Row[] = [
  doc('pdf-lost-page', 'one of two pages is not in the file', lostPage, { expect: DAMAGED }),
  doc(
    'pdf-ruined-page',
    'the contents of one page of twenty are noise',
    (c) => written(c, 'ruined.pdf', bookOf(20, { 7: RUINED })),
    { expect: { ...DAMAGED, measured: { undrawnPages: [7] } } },
  ),
  doc(
    'pdf-noise-as-page',
    'the contents of one page of three are noise that is not packed',
    (c) => written(c, 'noise-page.pdf', bookOf(3, { 2: stream('', noise(4000)) })),
    { expect: { ...DAMAGED, measured: { undrawnPages: [2] } } },
  ),
  doc(
    'pdf-ruined-only-page',
    'the contents of the only page are noise',
    (c) => page(c, 'ruined-only.pdf', { content: RUINED }),
    { expect: { ...DAMAGED, measured: { undrawnPages: [1] } } },
  ),
  doc(
    'pdf-lost-contents',
    'the contents of the only page are not in the file',
    (c) => written(c, 'contentless.pdf', contentless()),
    { expect: { ...DAMAGED, measured: { undrawnPages: [1] } } },
  ),
  doc('pdf-empty-owner', 'a user’s password and an empty owner’s one', (c) => emptyOwner(c, 6), {
    expect: LOCKED,
  }),
  doc('pdf-empty-owner-r5', 'the same in the older way', (c) => emptyOwner(c, 5), { expect: LOCKED }),
  doc('pdf-locked-attachment', 'only what is attached is encrypted: it opens', lockedAttachment, {
    expect: {
      state: 'rejected',
      problems: { PDF_RESTRICTED: 'advise', PDF_ACTIVE_CONTENT: 'reject' },
      measured: { pages: 1, encrypted: true, activeContent: ['EMBEDDED_FILE'] },
    },
  }),
]

const LARGE: readonly Row[] = [
  doc('pdf-scans-50', '50 MiB of scanned sheets', (c) => scannedBook(c, 50), {
    place: WORK,
    bounds: { seconds: 15 },
  }),
  doc('pdf-scans-200', '200 MiB of scanned sheets', (c) => scannedBook(c, 200), {
    place: WORK,
    verdictOnly: true,
    bounds: { seconds: 5 },
    expect: { state: 'accepted' },
  }),
]

function noHyphen(corpus: Parameters<Row['make']>[0]): Promise<string> {
  const text = onePage().toString('latin1').replace('%PDF-1.7', '%PDF1.4')
  return written(corpus, 'no-hyphen.pdf', Buffer.from(text, 'latin1'))
}

function contentless(): Buffer {
  return Buffer.from(onePage().toString('latin1').replace('/Contents 4 0 R', '/Contents 9 0 R'), 'latin1')
}

export const PDF_FLAWS: readonly Row[] = [...OVERLOOKED, ...BEYOND_HELP, ...LARGE]
