import { describe, expect, it } from 'vitest'
import { activeContentReader, pageReader } from '../../../../workers/media/pdf-objects.ts'
import { readGrayMaps } from '../../../../workers/media/pdf-page.ts'

function active(json: unknown, cut = 7): string[] {
  const reader = activeContentReader()
  const text = JSON.stringify(json, null, 2)
  for (let at = 0; at < text.length; at += cut) reader.push(Buffer.from(text.slice(at, at + cut)))
  return reader.found()
}

describe('activeContentReader', () => {
  it.each([
    [{ '/OpenAction': { '/S': '/JavaScript', '/JS': 'u:x' } }, ['JAVASCRIPT', 'OPEN_ACTION']],
    [{ '/A': { '/S': '/Launch' } }, ['LAUNCH']],
    [{ '/Type': '/Filespec', '/EF': { '/F': '9 0 R' } }, ['EMBEDDED_FILE']],
    [{ '/Type': '/EmbeddedFile' }, ['EMBEDDED_FILE']],
    [{ '/Names': { '/EmbeddedFiles': { '/Names': [] }, '/JavaScript': { '/Names': [] } } }, []],
    [{ '/Names': { '/JavaScript': { '/Names': ['u:a', { '/S': '/JavaScript' }] } } }, ['JAVASCRIPT']],
    [{ '/Subtype': '/RichMedia' }, ['RICH_MEDIA']],
    [{ '/AcroForm': { '/XFA': [] } }, ['XFA']],
    [{ '/S': '/SubmitForm' }, ['SUBMIT_FORM']],
    [{ '/S': '/ImportData' }, ['IMPORT_DATA']],
    [{ '/S': '/GoToR' }, ['REMOTE_GOTO']],
    [{ '/AA': {} }, ['PAGE_ACTION']],
    [{ '/OpenAction': ['3 0 R', '/Fit'] }, ['OPEN_ACTION']],
    [{ '/S': '/URI', '/Type': '/Page' }, []],
  ])('finds in %j: %j', (object, expected) => {
    expect(active(object)).toEqual(expected)
  })

  it('is not deceived by text that looks like a key', () => {
    expect(active({ '/T': 'u:"/JS": "/Launch"', '/U': 'b:2f4a53', '/V': 'u:\\"/JS"' })).toEqual([])
  })

  it('finds a key behind a string of megabytes on the same line, and in it', () => {
    const line = `"/A": "u:${'x'.repeat(300_000)}", "/JS": "u:${'y'.repeat(300_000)}"`
    const reader = activeContentReader()
    for (let at = 0; at < line.length; at += 4096) reader.push(Buffer.from(line.slice(at, at + 4096)))
    expect(reader.found()).toEqual(['JAVASCRIPT'])
  })
})

describe('pageReader', () => {
  it('counts pages that were walked to, and the most pictures on one', () => {
    const page = (images: number): unknown => ({
      images: Array.from({ length: images }, () => ({ bitspercomponent: 8 })),
      label: { '/P': 'u:"pageposfrom1": 9' },
      pageposfrom1: 1,
    })
    const reader = pageReader()
    const text = JSON.stringify({ pages: [page(1), page(7), page(0)] }, null, 2)
    for (let at = 0; at < text.length; at += 5) reader.push(Buffer.from(text.slice(at, at + 5)))
    expect(reader.count()).toEqual({ pages: 3, maxImagesPerPage: 7 })
  })
})

describe('readGrayMaps', () => {
  it('cuts a stream into pictures and stops at a torn one', () => {
    const stream = Buffer.concat([
      Buffer.from('P5\n2 2\n255\n'),
      Buffer.alloc(4, 1),
      Buffer.from('P5\n9 9\n255\n'),
      Buffer.alloc(3),
    ])
    expect(readGrayMaps(stream)).toEqual([Buffer.alloc(4, 1)])
    expect(readGrayMaps(Buffer.from('P6\n1 1\n255\nx'))).toEqual([])
  })
})
