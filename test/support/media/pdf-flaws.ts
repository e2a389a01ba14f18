// PDFs with the flaws of real ones: what viewers overlook, and what they cannot.

import { readFile } from 'node:fs/promises'
import { constants, deflateRawSync, deflateSync } from 'node:zlib'
import { type Corpus, ffmpeg, make } from './corpus.ts'
import { flate, onePage, type PdfObject, pdfOf, stream, TEXT } from './pdf-build.ts'
import { converted, page, written } from './pdf-kinds.ts'

const FONT = '/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>'

/** Objects of a later version, appended as editors do that leave the earlier one as it is. */
export function updated(before: Buffer, objects: Readonly<Record<number, string>>): Buffer {
  const text = before.toString('latin1')
  const previous = /startxref\n(\d+)/.exec(text)?.[1] ?? '0'
  let body = ''
  let table = ''
  for (const [number, object] of Object.entries(objects)) {
    const at = before.length + body.length
    body += `${number} 0 obj\n${object}\nendobj\n`
    table += `${number} 1\n${String(at).padStart(10, '0')} 00000 n \n`
  }
  const size = /\/Size (\d+)/.exec(text)?.[1] ?? '0'
  const trailer = `trailer\n<< /Size ${size} /Root 1 0 R /Prev ${previous} >>`
  const end = `xref\n${table}${trailer}\nstartxref\n${before.length + body.length}\n%%EOF\n`
  return Buffer.concat([before, Buffer.from(body + end, 'latin1')])
}

/** `pages` pages of packed text, with other contents on some of them. */
export function bookOf(pages: number, contents: Readonly<Record<number, PdfObject>> = {}): Buffer {
  const numbers = Array.from({ length: pages }, (_, i) => i + 1)
  return pdfOf({
    objects: [
      '<< /Type /Catalog /Pages 2 0 R >>',
      `<< /Type /Pages /Count ${pages} /Kids [${numbers.map((n) => `${n * 2 + 1} 0 R`).join(' ')}] >>`,
      ...numbers.flatMap((n) => [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents ${n * 2 + 2} 0 R /Resources << ${FONT} >> >>`,
        contents[n] ?? flate('', TEXT),
      ]),
    ],
  })
}

/** Drawn by every viewer, with an operator that does not exist and a text that does not end. */
export const SLIPSHOD = stream('', `${TEXT} q nonsense BT (without an end`)
/** Bytes that unpack to nothing. */
export const RUINED = stream('/Filter /FlateDecode', Buffer.alloc(300, 0xff))

export const WEB_PAGE = `<html><body>${'<p>Thank you for your download.</p>\n'.repeat(120)}</body></html>`

/** With a web page behind its end, of which the server thought that it belongs there. */
export async function withWebPageBehind(corpus: Corpus, packed: boolean): Promise<string> {
  const source = await converted(corpus, `web-${packed}-source.pdf`, [
    `--object-streams=${packed ? 'generate' : 'disable'}`,
  ])
  return await written(corpus, `web-${packed}.pdf`, Buffer.concat([await readFile(source), Buffer.from(WEB_PAGE)]))
}

/** Objects packed into streams, and a last line that points nowhere: no table can be built from what lies open. */
export async function lostPointer(corpus: Corpus): Promise<string> {
  const source = await converted(corpus, 'pointer-source.pdf', ['--object-streams=generate'])
  const text = (await readFile(source)).toString('latin1')
  return await written(corpus, 'pointer.pdf', Buffer.from(text.replace(/startxref\n\d+/, 'startxref\n7'), 'latin1'))
}

/** A count of pages that no integer holds. */
export function hugeNumber(corpus: Corpus): Promise<string> {
  const text = onePage().toString('latin1').replace('/Count 1 ', '/Count 99999999999999999999 ')
  return written(corpus, 'huge-number.pdf', Buffer.from(text, 'latin1'))
}

/** One of two pages is not in the file. */
export function lostPage(corpus: Corpus): Promise<string> {
  const text = onePage().toString('latin1').replace('/Count 1 /Kids [3 0 R]', '/Count 2 /Kids [3 0 R 77 0 R]')
  return written(corpus, 'lost-page.pdf', Buffer.from(text, 'latin1'))
}

/** A user's password, and an owner's that is empty: tools open it as owner, no reader does. */
export async function emptyOwner(corpus: Corpus, revision: 5 | 6): Promise<string> {
  const source = await written(corpus, 'open.pdf', onePage())
  return await corpus.file(`empty-owner-r${revision}.pdf`, (path) =>
    make('qpdf', [
      '--encrypt',
      'secret',
      '',
      '256',
      '--allow-insecure',
      ...(revision === 5 ? ['--force-R5'] : []),
      '--',
      source,
      path,
    ]),
  )
}

/** Texts and pages lie open; only what is attached is encrypted. */
export function lockedAttachment(corpus: Corpus): Promise<string> {
  const key = '00'.repeat(48)
  const lock = [
    '/Filter /Standard /V 5 /R 6 /Length 256 /P -4 /StmF /Identity /StrF /Identity /EFF /StdCF',
    '/CF << /StdCF << /CFM /AESV3 /AuthEvent /EFOpen /Length 32 >> >>',
    `/O <${key}> /U <${key}> /OE <${'00'.repeat(32)}> /UE <${'00'.repeat(32)}> /Perms <${'00'.repeat(16)}>`,
  ].join(' ')
  return written(
    corpus,
    'locked-attachment.pdf',
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(a) 5 0 R] >> >> >>',
        '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R /Resources << ${FONT} >> >>`,
        stream('', TEXT),
        '<< /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> >>',
        stream('/Type /EmbeddedFile /Filter [/Crypt] /DecodeParms [<< /Name /StdCF >>]', Buffer.alloc(64, 0x5a)),
      ],
      trailer: `/Encrypt << ${lock} >> /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]`,
    }),
  )
}

/** A hundred and more sheets as an office scanner makes them: 300 dots an inch, a photograph each. */
export async function scannedBook(corpus: Corpus, mebibytes: number): Promise<string> {
  const photo = await corpus.file('sheet.jpg', (path) =>
    ffmpeg(['-f', 'lavfi', '-i', 'testsrc2=s=2480x3508:r=1:d=1,noise=alls=12', '-frames:v', '1'], ['-q:v', '5', path]),
  )
  const bytes = await readFile(photo)
  const picture = stream(
    '/Type /XObject /Subtype /Image /Width 2480 /Height 3508 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode',
    bytes,
  )
  const sheets = Math.floor((mebibytes * 1024 * 1024 - 1024) / (picture.length + 512))
  const numbers = Array.from({ length: sheets }, (_, i) => i * 2 + 4)
  return await written(
    corpus,
    `scanned-${mebibytes}.pdf`,
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R >>',
        `<< /Type /Pages /Count ${sheets} /Kids [${numbers.map((n) => `${n} 0 R`).join(' ')}] >>`,
        stream('', 'q 595 0 0 842 0 0 cm /Im Do Q'),
        ...numbers.flatMap((n) => [
          `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 3 0 R /Resources << /XObject << /Im ${n + 1} 0 R >> >> >>`,
          picture,
        ]),
      ],
    }),
  )
}

/** Some hundred bytes: one page that unpacks, three times over, to `gibibytes` of blanks. */
export function nestedFilters(corpus: Corpus, gibibytes: number): Promise<string> {
  const once = packedBlanks(gibibytes * 1024)
  const thrice = deflateSync(deflateSync(once, { level: 9 }), { level: 9 })
  return page(corpus, `nested-${gibibytes}.pdf`, {
    content: stream('/Filter [/FlateDecode /FlateDecode /FlateDecode]', thrice),
  })
}

const MIB = 1024 * 1024

/** As zlib packs them, without packing the same mebibyte four thousand times. */
function packedBlanks(mebibytes: number): Buffer {
  const blank = 0x20
  const block = deflateRawSync(Buffer.alloc(MIB, blank), { level: 9, finishFlush: constants.Z_FULL_FLUSH })
  const sum = adlerOf(blank, BigInt(mebibytes) * BigInt(MIB))
  const blocks = Array.from({ length: mebibytes }, () => block)
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...blocks, deflateRawSync(Buffer.alloc(0)), sum])
}

/** The check sum at the end of a zlib stream of so many equal bytes. */
function adlerOf(byte: number, count: bigint): Buffer {
  const low = (1n + count * BigInt(byte)) % 65_521n
  const high = (count + (BigInt(byte) * count * (count + 1n)) / 2n) % 65_521n
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(Number(high * 65_536n + low))
  return sum
}

/** A pattern whose tiles are a thousandth of a point wide. */
export function tinyTiles(corpus: Corpus): Promise<string> {
  const tile = '/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.001 /YStep 0.001'
  return page(corpus, 'tiles.pdf', {
    content: stream('', '/Pattern cs /P scn 0 0 420 595 re f '.repeat(500)),
    resources: '/Pattern << /P 5 0 R >>',
    more: [stream(`${tile} /Resources << >>`, '0 0 .5 .5 re f')],
  })
}

/** A list of so many numbers, a hundred levels down: a list of all objects, indented, takes a hundred times its bytes. */
export function deepNumbers(corpus: Corpus, numbers: number): Promise<string> {
  const list = `${'['.repeat(100)}${'0 '.repeat(numbers)}${']'.repeat(100)}`
  return page(corpus, 'deep-numbers.pdf', { catalog: '/Remark 5 0 R', more: [list] })
}

/** One Thai letter (`uni0E01`) in a font that the file only names. */
export function thaiLetter(corpus: Corpus, font: string, letter: string): Promise<string> {
  const encoding = `<< /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [161 /${letter}] >>`
  return written(
    corpus,
    `${font}-${letter}.pdf`,
    pdfOf({
      objects: [
        '<< /Type /Catalog /Pages 2 0 R >>',
        '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
        '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
        stream('', 'BT /F 72 Tf 20 30 Td <a1> Tj ET'),
        `<< /Type /Font /Subtype /TrueType /BaseFont /${font} /FirstChar 161 /LastChar 161 /Widths [600] /FontDescriptor 6 0 R /Encoding ${encoding} >>`,
        `<< /Type /FontDescriptor /FontName /${font} /Flags 32 /FontBBox [-500 -300 1200 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 600 /StemV 80 >>`,
      ],
    }),
  )
}
