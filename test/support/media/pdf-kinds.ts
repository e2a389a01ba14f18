// PDFs as offices, scanners and tools make them, and as no viewer can open them.

import { readFile, writeFile } from 'node:fs/promises'
import { deflateSync } from 'node:zlib'
import { type Corpus, ffmpeg, make } from './corpus.ts'
import { flate, type OnePage, onePage, type PdfObject, pdfOf, stream } from './pdf-build.ts'
import { attachmentPdf, pdf, pdfBytes } from './pdfs.ts'

export function written(corpus: Corpus, name: string, bytes: Buffer): Promise<string> {
  return corpus.file(name, (path) => writeFile(path, bytes))
}

export function page(corpus: Corpus, name: string, options: OnePage): Promise<string> {
  return written(corpus, name, onePage(options))
}

/** Sound, and empty: a tree without a single page. */
export function noPages(corpus: Corpus): Promise<string> {
  return written(corpus, 'no-pages.pdf', pdfBytes({ pages: 0 }))
}

/** Only the photograph of a page, as a scanner makes it: no text anywhere. */
export async function scan(corpus: Corpus): Promise<string> {
  const photo = await corpus.file('scan.jpg', (path) =>
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=840x1190:d=0.04:r=25', '-frames:v', '1', '-q:v', '9', path),
  )
  const picture = stream(
    '/Type /XObject /Subtype /Image /Width 840 /Height 1190 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode',
    await readFile(photo),
  )
  return await page(corpus, 'scan.pdf', {
    content: stream('', 'q 420 0 0 595 0 0 cm /Im Do Q'),
    resources: '/XObject << /Im 5 0 R >>',
    more: [picture],
  })
}

/** By qpdf, from a plain document. */
export async function converted(corpus: Corpus, name: string, args: readonly string[], pages = 3): Promise<string> {
  const source = await pdf(corpus, `plain-${pages}.pdf`, { pages })
  return await corpus.file(name, (path) => make('qpdf', [...args, '--', source, path]))
}

/** Text of a web page or a mail in front of the document: readers allow a kibibyte of it. */
export function withJunkInFront(corpus: Corpus, bytes = 1024): Promise<string> {
  return written(corpus, `junk-${bytes}.pdf`, Buffer.concat([Buffer.alloc(bytes, 0x2e), pdfBytes()]))
}

/** A table of objects that points nowhere, as careless editors leave it; every viewer builds it anew. */
export function wrongTable(corpus: Corpus): Promise<string> {
  const text = pdfBytes().toString('latin1')
  return written(
    corpus,
    'wrong-table.pdf',
    Buffer.from(text.replace(/^\d{10} 00000 n /gm, '0000000007 00000 n '), 'latin1'),
  )
}

/** The attachment is gone; the empty list of attachments is still there. */
export async function detached(corpus: Corpus): Promise<string> {
  const source = await attachmentPdf(corpus)
  return await corpus.file('detached.pdf', (path) => make('qpdf', ['--remove-attachment=attached.txt', source, path]))
}

/** For readers with one certain certificate only. */
export function certificatePdf(corpus: Corpus): Promise<string> {
  const filter = '/Filter /Adobe.PubSec /SubFilter /adbe.pkcs7.s5 /V 4 /Length 128 /Recipients [<00>]'
  return written(
    corpus,
    'certificate.pdf',
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] >>',
      ],
      trailer: `/Encrypt << ${filter} >> /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`,
    }),
  )
}

/** The tree's root is among its own children. */
export function loopedTree(corpus: Corpus): Promise<string> {
  return written(
    corpus,
    'looped.pdf',
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Count 2 /Kids [3 0 R 2 0 R] >>',
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] >>',
      ],
    }),
  )
}

/** One page below so many levels of a tree. */
export function deepTree(corpus: Corpus, levels: number): Promise<string> {
  const nodes = Array.from(
    { length: levels },
    (_, i) => `<< /Type /Pages /Count 1 /Kids [${i + 3} 0 R] ${i > 0 ? `/Parent ${i + 1} 0 R` : ''} >>`,
  )
  const leaf = `<< /Type /Page /Parent ${levels + 1} 0 R /MediaBox [0 0 420 595] >>`
  return written(
    corpus,
    `deep-${levels}.pdf`,
    pdfOf({ objects: ['<< /Type /Catalog /Pages 2 0 R >>', ...nodes, leaf] }),
  )
}

/** Sections of the table of objects that name each other as the one before. */
export function loopedTable(corpus: Corpus): Promise<string> {
  const bytes = onePage()
  const at = bytes.lastIndexOf('xref\n', bytes.lastIndexOf('startxref') - 1)
  const text = bytes.toString('latin1').replace('/Root 1 0 R', `/Root 1 0 R /Prev ${at}`)
  return written(corpus, 'looped-table.pdf', Buffer.from(text, 'latin1'))
}

/** Some kilobytes that unpack to `mebibytes`, and are asked for so many times by one page. */
export function inflating(corpus: Corpus, mebibytes: number, times: number): Promise<string> {
  const once = packed(Buffer.alloc(mebibytes * 1024 * 1024, 0x20))
  return written(
    corpus,
    'inflating.pdf',
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents [${'4 0 R '.repeat(times)}] >>`,
        // Packed twice, as filters may be chained: zeros pack to a thousandth, and that to a tenth.
        stream('/Filter [/FlateDecode /FlateDecode]', packed(once)),
      ],
    }),
  )
}

function packed(bytes: Buffer): Buffer {
  return deflateSync(bytes, { level: 9 })
}

/** A small file with a picture of 900 million points. */
export function hugePicture(corpus: Corpus): Promise<string> {
  const side = 30_000
  const picture = flate(
    `/Type /XObject /Subtype /Image /Width ${side} /Height ${side} /ColorSpace /DeviceGray /BitsPerComponent 1`,
    Buffer.alloc((side * side) / 8, 0x55),
  )
  return page(corpus, 'huge-picture.pdf', {
    content: stream('', 'q 420 0 0 595 0 0 cm /Im Do Q'),
    resources: '/XObject << /Im 5 0 R >>',
    more: [picture],
  })
}

/** A drawing of ten drawings of ten drawings…: a hundred million strokes in two kilobytes. */
export function multiplying(corpus: Corpus, levels = 8): Promise<string> {
  const form = (i: number): PdfObject =>
    i === levels
      ? stream('/Type /XObject /Subtype /Form /BBox [0 0 420 595]', '0 0 m 420 595 l S')
      : stream(
          `/Type /XObject /Subtype /Form /BBox [0 0 420 595] /Resources << /XObject << /X ${6 + i} 0 R >> >>`,
          '/X Do '.repeat(10),
        )
  return page(corpus, `multiplying-${levels}.pdf`, {
    content: stream('', '/X Do'),
    resources: '/XObject << /X 5 0 R >>',
    more: Array.from({ length: levels + 1 }, (_, i) => form(i)),
  })
}

/** A page whose stream is to be fetched from another file, and another from an address. */
export function externalStreams(corpus: Corpus, url: string, secretPath: string): Promise<string> {
  return page(corpus, 'external.pdf', {
    content: stream(`/F (${secretPath})`, ''),
    resources: '/XObject << /Im 5 0 R >>',
    catalog: `/Names << /Dests << /Names [] >> >>`,
    more: [
      stream(
        `/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /F << /FS /URL /F (${url}) >>`,
        '',
      ),
    ],
  })
}
