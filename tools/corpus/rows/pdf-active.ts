// Active content of a PDF counts only where a viewer reaches it.

import { pdfOf, stream, TEXT } from '../../../test/support/media/pdf-build.ts'
import { updated } from '../../../test/support/media/pdf-flaws.ts'
import { page, written } from '../../../test/support/media/pdf-kinds.ts'
import type { Expected, Make, Row } from '../model.ts'
import { PLAN, rowsOf } from './places.ts'

const doc = rowsOf('pdf', PLAN, { kind: 'pdf', container: 'pdf' })
const harmless = (...activeContent: string[]): Partial<Expected> => ({
  measured: { pages: 1, activeContent },
})
const acts = (...activeContent: string[]): Partial<Expected> => ({
  state: 'rejected',
  problems: { PDF_ACTIVE_CONTENT: 'reject' },
  measured: { activeContent },
})

const SCRIPT = '<< /S /JavaScript /JS (app.alert\\(1\\)) >>'
const ATTACHED = '<< /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> >>'
const catalog =
  (name: string, entries: string, ...more: (string | Buffer)[]): Make =>
  (c) =>
    page(c, name, { catalog: entries, more })
const annotation =
  (name: string, entries: string, ...more: (string | Buffer)[]): Make =>
  (c) =>
    page(c, name, { page: `/Annots [<< /Type /Annot /Rect [40 100 300 130] ${entries} >>]`, more })
const field =
  (name: string, events: string): Make =>
  (c) =>
    page(c, name, {
      catalog: '/AcroForm << /Fields [5 0 R] /DA (/F 12 Tf) >>',
      page: '/Annots [5 0 R]',
      more: [`<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [40 100 300 130] /P 3 0 R /AA << ${events} >> >>`],
    })
const event = (key: string, script: string): string =>
  `/${key} << /S /JavaScript /JS (${script.replace(/[()\\]/g, '\\$&')}) >>`

const ONLY_WORDS: readonly Row[] = [
  doc(
    'pdf-role-map',
    'a table of roles in which a film is a figure',
    catalog(
      'role-map.pdf',
      '/StructTreeRoot << /Type /StructTreeRoot /RoleMap << /Movie /Figure /RichMedia /Figure >> >>',
    ),
    { expect: harmless() },
  ),
  doc(
    'pdf-font-called-ef',
    'a font that happens to be called EF, and another called JS',
    (c) =>
      page(c, 'font-ef.pdf', {
        resources: '/ColorSpace << /EF /DeviceRGB /JS /DeviceGray /XFA /DeviceCMYK >>',
      }),
    { expect: harmless() },
  ),
  doc(
    'pdf-script-nobody-calls',
    'a script to which nothing points',
    (c) => page(c, 'uncalled.pdf', { more: [SCRIPT] }),
    { expect: harmless() },
  ),
  doc(
    'pdf-attachment-removed-later',
    'an attachment that a later version of the file no longer names',
    (c) => written(c, 'removed-later.pdf', removedLater()),
    { expect: harmless() },
  ),
  doc(
    'pdf-acrobat-field-scripts',
    'a form whose fields check numbers and dates by Acrobat’s own functions',
    field(
      'field-scripts.pdf',
      [
        event('K', 'AFNumber_Keystroke(2, 0, 0, 0, "", true);'),
        event('F', 'AFNumber_Format(2, 0, 0, 0, "฿", true);'),
        event('V', 'AFRange_Validate(true, 0, true, 100);'),
        event('C', 'AFSimple_Calculate("SUM", new Array ("a", "b"));'),
      ].join(' '),
    ),
    { expect: harmless('FIELD_SCRIPT') },
  ),
  doc(
    'pdf-screen',
    'an empty name tree with branches, and a note',
    annotation('note.pdf', '/Subtype /Text /Contents (/JavaScript /Launch)'),
    { expect: harmless() },
  ),
]

const HIDDEN: readonly Row[] = [
  doc(
    'pdf-field-script-of-own',
    'a call of Acrobat’s function with something behind it',
    field('own-script.pdf', event('F', 'AFNumber_Format(2, 0, 0, 0, "", true); app.launchURL("http://example.org/");')),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-script-in-order',
    'a script of a field that only the order of calculation names',
    catalog('order.pdf', '/AcroForm << /Fields [] /CO [5 0 R] >>', `<< /FT /Tx /T (sum) /AA << /C ${SCRIPT} >> >>`),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-script-in-outline',
    'a script behind an entry of the outline',
    catalog(
      'outline.pdf',
      '/Outlines << /Type /Outlines /First 5 0 R /Last 5 0 R /Count 1 >>',
      `<< /Title (Chapter) /A ${SCRIPT} >>`,
    ),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-script-behind-link',
    'a link that goes on to a script',
    annotation('next.pdf', `/Subtype /Link /A << /S /URI /URI (https://example.org/) /Next [${SCRIPT}] >>`),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-script-as-address',
    'a link whose address is a script',
    annotation('address.pdf', '/Subtype /Link /A << /S /URI /URI (JavaScript:app.alert\\(1\\)) >>'),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-named-scripts-deep',
    'a script two levels down the list of scripts, which names itself as well',
    catalog(
      'deep-names.pdf',
      '/Names << /JavaScript 5 0 R >>',
      '<< /Kids [5 0 R 6 0 R] >>',
      `<< /Names [(a) ${SCRIPT}] >>`,
    ),
    { expect: acts('JAVASCRIPT') },
  ),
  doc(
    'pdf-attachment-on-page',
    'a paper clip with a file behind it',
    annotation(
      'clip.pdf',
      `/Subtype /FileAttachment /FS ${ATTACHED}`,
      '<< >>',
      stream('/Type /EmbeddedFile', 'attached'),
    ),
    { expect: acts('EMBEDDED_FILE') },
  ),
  doc(
    'pdf-associated-file',
    'a file that belongs to the document without being in its list',
    catalog('associated.pdf', `/AF [${ATTACHED}]`, '<< >>', stream('/Type /EmbeddedFile', 'attached')),
    { expect: acts('EMBEDDED_FILE') },
  ),
  doc('pdf-rich-media', 'a film within the page', annotation('rich.pdf', '/Subtype /RichMedia'), {
    expect: acts('RICH_MEDIA'),
  }),
  doc('pdf-model', 'a model of three dimensions', annotation('model.pdf', '/Subtype /3D'), {
    expect: acts('RICH_MEDIA'),
  }),
  doc('pdf-movie', 'a film in the older way', annotation('movie.pdf', '/Subtype /Movie'), {
    expect: acts('RICH_MEDIA'),
  }),
]

/** An attachment that a later revision of the catalog no longer names. */
function removedLater(): Buffer {
  const before = pdfOf({
    objects: [
      '<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >> >>',
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>',
      stream('', TEXT),
      ATTACHED,
      stream('/Type /EmbeddedFile', 'attached'),
    ],
  })
  return updated(before, { 1: '<< /Type /Catalog /Pages 2 0 R >>' })
}

export const PDF_ACTIVE: readonly Row[] = [...ONLY_WORDS, ...HIDDEN]
