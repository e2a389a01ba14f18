// Misleading names and first bytes, and files without usable content.

import { writeFile } from 'node:fs/promises'
import { noise, renamed, zeroBytes } from '../../../test/support/media/hostile.ts'
import { pdf, pdfBytes } from '../../../test/support/media/pdfs.ts'
import { recorded, X264 } from '../../../test/support/media/recordings.ts'
import { lesson, phoneMov } from '../../../test/support/media/videos.ts'
import type { Expected, Make, Row } from '../model.ts'
import { IN_CONTAINER } from './containers.ts'
import { CLIP, CONVERTED, OUTCOME, PLAN, rowsOf, SCHOOL, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('disguises', CLIP, {})

const mismatch = (kind: NonNullable<Expected['measured']['kind']>, container: string): Partial<Expected> => ({
  state: 'rejected',
  problems: { TYPE_MISMATCH: 'reject' },
  measured: { kind, container },
})
const bytes =
  (name: string, content: string | Buffer): Make =>
  (corpus) =>
    corpus.file(name, (path) => writeFile(path, content))

const flv: Make = (c) => recorded(c, 'flash.flv', { sounds: ['sine=r=44100'] }, [...X264, '-c:a', 'aac'])
const wmv: Make = (c) => recorded(c, 'windows.wmv', {}, ['-c:v', 'wmv2', '-b:v', '400k', '-c:a', 'wmav2'])
const mpg: Make = (c) => recorded(c, 'dvd.mpg', {}, ['-c:v', 'mpeg2video', '-b:v', '500k', '-c:a', 'mp2', '-f', 'vob'])
const ogv: Make = (c) => recorded(c, 'free.ogv', {}, ['-c:v', 'libtheora', '-b:v', '400k', '-c:a', 'libvorbis'])

const programStream = IN_CONTAINER['mpegps']?.make ?? mpg

const refused = (container: string, more = {}): Partial<Expected> => ({
  state: 'rejected',
  problems: { CONTAINER_NOT_ALLOWED: 'reject', ...SMALL, ...more },
  measured: { kind: 'video', container },
})
const converted = (container: string): Partial<Expected> => ({
  problems: CONVERTED,
  seconds: 3,
  measured: { kind: 'video', container },
  renditions: { video: { state: 'ready', width: 320, height: 180 } },
})

export const DISGUISES: readonly Row[] = [
  video('empty', 'no byte at all', zeroBytes, {
    expect: { state: 'rejected', problems: { UPLOAD_EMPTY: 'reject' } },
  }),
  video('one-byte', 'a single byte', bytes('one.mp4', Buffer.from([0])), {
    expect: mismatch('other', 'unknown'),
  }),
  video('noise', '64 KiB without any meaning', (c) => noise(c), { expect: mismatch('other', 'unknown') }),
  video('text', 'a text called .mp4', bytes('text.mp4', 'Once upon a time there was a lesson.\n'.repeat(99)), {
    expect: mismatch('other', 'unknown'),
  }),
  video(
    'web-page',
    'the error page of a download, called .mp4',
    bytes('page.mp4', '<!DOCTYPE html><html><body>404</body></html>'),
    {
      expect: mismatch('other', 'unknown'),
    },
  ),
  video(
    'document',
    'the start of a DOCX, called .pdf',
    bytes('plan.docx.pdf', Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(400)])),
    {
      place: PLAN,
      expect: mismatch('other', 'zip'),
    },
  ),
  video(
    'photo',
    'a photograph called .mp4',
    (c) =>
      c.file('photo.mp4', async (path) =>
        writeFile(path, Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(400)])),
      ),
    {
      expect: mismatch('image', 'jpeg'),
    },
  ),
  video('film-called-pdf', 'an MP4 called .pdf, for a PDF', async (c) => renamed(c, await lesson(c), 'film.pdf'), {
    place: PLAN,
    expect: mismatch('video', 'mp4'),
  }),
  video(
    'film-called-pdf-taken',
    'an MP4 called .pdf where both are taken',
    async (c) => renamed(c, await lesson(c), 'film.pdf'),
    {
      place: OUTCOME,
      expect: { problems: SMALL, seconds: 4, measured: { kind: 'video', container: 'mp4' } },
    },
  ),
  video(
    'pdf-called-film',
    'a PDF called .mp4, for a film',
    async (c) => renamed(c, await pdf(c, 'plain.pdf'), 'plan.mp4'),
    {
      expect: mismatch('pdf', 'pdf'),
    },
  ),
  video(
    'pdf-called-film-taken',
    'a PDF called .mp4 where both are taken',
    async (c) => renamed(c, await pdf(c, 'plain.pdf'), 'plan.mp4'),
    {
      place: OUTCOME,
      expect: { measured: { kind: 'pdf', pages: 2 } },
    },
  ),
  video('mov-called-mp4', 'a phone’s MOV called .mp4', async (c) => renamed(c, await phoneMov(c), 'phone.mp4'), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, PORTRAIT: 'warn' },
      seconds: 3,
      measured: { container: 'mov' },
    },
  }),
  video(
    'words-about-pdf',
    'a text that speaks of %PDF-1.7 in its first lines',
    bytes('words.pdf', 'A file begins with %PDF-1.7 and ends with %%EOF\n'),
    {
      place: PLAN,
      expect: { state: 'rejected', problems: { PDF_DAMAGED: 'reject' }, measured: { kind: 'pdf' } },
    },
  ),
  video('pdf-without-head', 'a PDF whose first bytes are missing', bytes('headless.pdf', pdfBytes().subarray(9)), {
    place: PLAN,
    expect: mismatch('other', 'unknown'),
  }),
  video('flv', 'Flash video, which is not taken', flv, { expect: refused('flv') }),
  video('wmv', 'Windows Media, which is not taken', wmv, { expect: refused('asf', UNCOMMON) }),
  video('mpg', 'an MPEG program stream, which is not taken', mpg, { expect: refused('mpegps', UNCOMMON) }),
  video('flv-school', 'Flash video where the list of containers is not verified', flv, {
    place: SCHOOL,
    expect: converted('flv'),
  }),
  video('wmv-school', 'Windows Media where the list is not verified', wmv, {
    place: SCHOOL,
    expect: converted('asf'),
  }),
  video('mpg-school', 'an MPEG program stream where the list is not verified', mpg, {
    place: SCHOOL,
    expect: converted('mpegps'),
  }),
  video('mpg-without-times', 'a program stream in which some packets have no time', programStream, {
    place: SCHOOL,
    expect: { problems: CONVERTED, seconds: 2, measured: { kind: 'video', container: 'mpegps' } },
  }),
  video('ogg-school', 'Ogg with Theora where the list is not verified', ogv, {
    place: SCHOOL,
    expect: converted('ogg'),
  }),
]
