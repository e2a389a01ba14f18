import { describe, expect, it } from 'vitest'
import {
  contentDisposition,
  mayShow,
  renditionFileName,
  safeFileName,
  typeOfOriginal,
} from '../../../src/delivery/file-names.ts'

describe('safeFileName', () => {
  it.each([
    ['การสอน ป.4 ครั้งที่ ๑.mp4', 'การสอน ป.4 ครั้งที่ ๑.mp4'],
    ['../../etc/passwd', 'passwd'],
    ['C:\\Users\\ครู\\แผน.pdf', 'แผน.pdf'],
    ['a\r\nSet-Cookie: x=1.pdf', 'aSet-Cookie_ x=1.pdf'],
    ['sgod\u202efdp.exe', 'sgodfdp.exe'],
    ['.htaccess', 'htaccess'],
    ['a"b?.mp4', 'a_b_.mp4'],
    ['half \ud800 pair.mp4', 'half  pair.mp4'],
    ['', 'teaching-1'],
    ['///', 'teaching-1'],
    [null, 'teaching-1'],
  ])('%j → %j', (given, expected) => {
    expect(safeFileName(given, 'teaching-1')).toBe(expected)
  })

  it('shortens by characters and keeps the extension', () => {
    const name = safeFileName(`${'ก'.repeat(300)}.mp4`, 'x')
    expect([...name]).toHaveLength(120)
    expect(name.endsWith('ก.mp4')).toBe(true)
  })
})

describe('contentDisposition', () => {
  it('has a Thai name for new clients and an ASCII name for old ones', () => {
    expect(contentDisposition('attachment', "แผน (1)'.pdf")).toBe(
      "attachment; filename=\"___ (1)'.pdf\"; filename*=UTF-8''%E0%B9%81%E0%B8%9C%E0%B8%99%20%281%29%27.pdf",
    )
  })

  it('cannot be injected into', () => {
    expect(contentDisposition('inline', 'a"; x=\\y%41.mp4')).toBe(
      'inline; filename="a_; x=_y_41.mp4"; filename*=UTF-8\'\'a%22%3B%20x%3D%5Cy%2541.mp4',
    )
  })
})

it('names renditions after the original file', () => {
  expect(renditionFileName('การสอน.MOV', '720p', 'video/mp4')).toBe('การสอน-720p.mp4')
  expect(renditionFileName('แผน v1.2', 'page', 'image/jpeg')).toBe('แผน v1.2-page.jpg')
})

it('shows inline only types without scripts, by the measured type', () => {
  expect(typeOfOriginal(null)).toBe('application/octet-stream')
  expect(typeOfOriginal({ container: 'mp4' })).toBe('video/mp4')
  expect(typeOfOriginal({ container: 'constructor' })).toBe('application/octet-stream')
  expect(['video/mp4', 'application/pdf', 'image/png'].every(mayShow)).toBe(true)
  expect(['text/html', 'image/svg+xml', 'application/octet-stream', 'text/xml'].some(mayShow)).toBe(false)
})
