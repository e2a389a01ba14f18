// PDFs from any objects, so that trees, filters and encryption may be as wrong as a test wants them.

import { deflateSync } from 'node:zlib'

/** The body of an object, without its number: text, or bytes where it holds a stream. */
export type PdfObject = string | Buffer

export type PdfDeps = {
  /** Objects 1, 2, 3…; the first is the catalog. */
  objects: readonly PdfObject[]
  /** More entries of the trailer, as PDF text. */
  trailer?: string
  version?: string
}

/** The bytes of a PDF with a cross-reference table that is right. */
export function pdfOf({ objects, trailer = '', version = '1.7' }: PdfDeps): Buffer {
  const parts: Buffer[] = [Buffer.from(`%PDF-${version}\n%\xe2\xe3\xcf\xd3\n`, 'latin1')]
  let at = parts[0]?.length ?? 0
  const offsets: number[] = []
  const add = (piece: Buffer): void => {
    parts.push(piece)
    at += piece.length
  }
  for (const [i, object] of objects.entries()) {
    offsets.push(at)
    add(Buffer.from(`${i + 1} 0 obj\n`, 'latin1'))
    add(typeof object === 'string' ? Buffer.from(object, 'latin1') : object)
    add(Buffer.from('\nendobj\n', 'latin1'))
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const size = objects.length + 1
  add(
    Buffer.from(
      `xref\n0 ${size}\n0000000000 65535 f \n${table}trailer\n<< /Size ${size} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`,
      'latin1',
    ),
  )
  return Buffer.concat(parts)
}

/** A stream object. */
export function stream(dictionary: string, bytes: Buffer | string): Buffer {
  const body = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return Buffer.concat([
    Buffer.from(`<< ${dictionary} /Length ${body.length} >>\nstream\n`, 'latin1'),
    body,
    Buffer.from('\nendstream', 'latin1'),
  ])
}

export function flate(dictionary: string, bytes: Buffer | string): Buffer {
  return stream(`${dictionary} /Filter /FlateDecode`, deflateSync(bytes, { level: 9 }))
}

const FONT = '/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>'
export const TEXT = 'BT /F 24 Tf 40 200 Td (A page of the lesson plan) Tj ET'

export type OnePage = {
  /** Default: a sheet of A5. */
  mediaBox?: string
  content?: PdfObject
  /** More entries of the page, its resources, and the catalog, as PDF text. */
  page?: string
  resources?: string
  catalog?: string
  /** Objects from number 5 on. */
  more?: readonly PdfObject[]
}

/** A document of one page: catalog 1, tree 2, page 3, content 4. */
export function onePage(options: OnePage = {}): Buffer {
  const { mediaBox = '[0 0 420 595]', content = stream('', TEXT), page = '', resources = '' } = options
  return pdfOf({
    objects: [
      `<< /Type /Catalog /Pages 2 0 R ${options.catalog ?? ''} >>`,
      '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox ${mediaBox} /Contents 4 0 R /Resources << ${FONT} ${resources} >> ${page} >>`,
      content,
      ...(options.more ?? []),
    ],
  })
}
