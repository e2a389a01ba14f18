// PDFs written by hand, object by object, so that a test can put in exactly what it wants.

import { readFile, writeFile } from 'node:fs/promises'
import { type Corpus, make } from './corpus.ts'

export type PdfOptions = {
  pages?: number
  /** What the root of the page tree claims; default the truth. */
  count?: number
  /** More entries of the catalog, as PDF text. */
  catalog?: string
  /** Numbers of pages without anything on them. */
  blank?: readonly number[]
}

/** The bytes of a small, valid PDF 1.7. */
export function pdfBytes(options: PdfOptions = {}): Buffer {
  const { pages = 2, count = pages, catalog = '', blank = [] } = options
  const numbers = Array.from({ length: pages }, (_, i) => i + 1)
  const kids = numbers.map((page) => `${page * 2 + 1} 0 R`).join(' ')
  const font = '<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>'
  const objects = [
    `<< /Type /Catalog /Pages 2 0 R ${catalog} >>`,
    `<< /Type /Pages /Count ${count} /Kids [${kids}] >>`,
    ...numbers.flatMap((page) => {
      const drawing = blank.includes(page) ? '' : `BT /F 24 Tf 40 200 Td (Page ${page} of the lesson plan) Tj ET`
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents ${page * 2 + 2} 0 R /Resources ${font} >>`,
        `<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`,
      ]
    }),
  ]
  let text = '%PDF-1.7\n'
  const offsets = objects.map((object, i) => {
    const offset = text.length
    text += `${i + 1} 0 obj\n${object}\nendobj\n`
    return offset
  })
  const xref = text.length
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}`
  text += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`
  return Buffer.from(text, 'latin1')
}

export function pdf(corpus: Corpus, name: string, options: PdfOptions = {}): Promise<string> {
  return corpus.file(name, (path) => writeFile(path, pdfBytes(options)))
}

/** `user`: nobody opens it without the password. `owner`: everybody opens it, some may not print. */
export async function lockedPdf(corpus: Corpus, kind: 'user' | 'owner'): Promise<string> {
  const source = await pdf(corpus, 'plain.pdf')
  return await corpus.file(`locked-${kind}.pdf`, (path) =>
    make('qpdf', ['--encrypt', kind === 'user' ? 'secret' : '', 'owner', '256', '--', source, path]),
  )
}

/** A linearized file cut off: qpdf rebuilds its table and is content, though pages are gone. */
export async function truncatedLinearPdf(corpus: Corpus): Promise<string> {
  const source = await pdf(corpus, 'ten.pdf', { pages: 10 })
  return await corpus.file('truncated-linear.pdf', async (path) => {
    await make('qpdf', ['--linearize', source, path])
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)))
  })
}

/** Opens a dialogue by JavaScript; the name is written with an escape, which a search in the bytes would miss. */
export function scriptPdf(corpus: Corpus): Promise<string> {
  return pdf(corpus, 'script.pdf', { catalog: '/OpenAction << /S /JavaScript /J#53 (app.alert\\(1\\)) >>' })
}

export function launchPdf(corpus: Corpus): Promise<string> {
  return pdf(corpus, 'launch.pdf', { catalog: '/OpenAction << /S /Launch /F (cmd.exe) >>' })
}

/** Harmless: shows the first page whole when opened, as most word processors write it. */
export function openActionPdf(corpus: Corpus): Promise<string> {
  return pdf(corpus, 'fit.pdf', { catalog: '/OpenAction [3 0 R /Fit]' })
}

/** Harmless: only its text speaks of scripts. */
export function talkingPdf(corpus: Corpus): Promise<string> {
  return pdf(corpus, 'talk.pdf', {
    catalog: '/Remark (the keys "/JS": and "/Launch" are explained on page 2)',
  })
}

export async function attachmentPdf(corpus: Corpus): Promise<string> {
  const source = await pdf(corpus, 'plain.pdf')
  const attached = await corpus.file('attached.txt', (path) => writeFile(path, 'attached'))
  return await corpus.file('attachment.pdf', (path) => make('qpdf', ['--add-attachment', attached, '--', source, path]))
}

/** A script hidden in a compressed object stream. */
export async function compressedScriptPdf(corpus: Corpus): Promise<string> {
  const source = await scriptPdf(corpus)
  return await corpus.file('script-compressed.pdf', (path) =>
    make('qpdf', ['--object-streams=generate', '--compress-streams=y', source, path]),
  )
}
