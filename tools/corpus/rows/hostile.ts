// Hostile files that try to get connections, other files, time or memory. Media tools run without isolation here, so that
// their own options alone must prevent it.

import { readFile, writeFile } from 'node:fs/promises'
import { concatScript, manyStreams, pixelBomb, playlist } from '../../../test/support/media/hostile.ts'
import {
  absurdTimes,
  billionsOfSamples,
  elsewhere,
  endlessElement,
  manyBoxes,
  playlistInSubtitles,
  referenceMovie,
  tracks,
} from '../../../test/support/media/hostile-videos.ts'
import { long } from '../../../test/support/media/lies.ts'
import { places } from '../../../test/support/media/mp4-bytes.ts'
import { deepNumbers, nestedFilters, tinyTiles } from '../../../test/support/media/pdf-flaws.ts'
import { externalStreams, hugePicture, inflating, multiplying } from '../../../test/support/media/pdf-kinds.ts'
import type { Expected, Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, OUTCOME, PLAN, rowsOf, SCHOOL, SMALL, UNCOMMON } from './places.ts'

const make = rowsOf('hostile', CLIP, {})
const hostile: typeof make = (name, about, maker, more = {}) =>
  make(name, about, maker, { unfenced: true, bounds: { seconds: 20 }, ...more })

const refused = (container: string): Partial<Expected> => ({
  state: 'rejected',
  problems: { TYPE_MISMATCH: 'reject' },
  measured: { kind: 'other', container },
})
const undecodable = (more = {}): Partial<Expected> => ({
  state: 'rejected',
  problems: { VIDEO_UNDECODABLE: 'reject', ...more },
  measured: { kind: 'video' },
})

/** 320x180 in its index, 67 million pixels in its pictures. */
async function hiddenBomb(corpus: Parameters<typeof pixelBomb>[0]): Promise<string> {
  const source = await pixelBomb(corpus)
  return await corpus.file('hidden-bomb.mp4', async (path) => {
    const bytes = await readFile(source)
    const entry = bytes.indexOf('avc1', places(bytes, 'stsd')[0]?.body ?? 0)
    bytes.writeUInt16BE(320, entry + 28)
    bytes.writeUInt16BE(180, entry + 30)
    await writeFile(path, bytes)
  })
}

const REACHING: readonly Row[] = [
  hostile(
    'playlist',
    'an HLS playlist called .mp4: an address and a local file',
    (c, { url, secretPath }) => playlist(c, url, secretPath),
    {
      expect: refused('playlist'),
    },
  ),
  hostile(
    'concat-script',
    'ffmpeg’s list of files called .mp4',
    (c, { url, secretPath }) => concatScript(c, url, secretPath),
    {
      expect: refused('script'),
    },
  ),
  hostile('samples-elsewhere', 'an MP4 whose samples lie in a local file and at an address', elsewhere, {
    expect: { state: 'rejected', problems: { INCOMPLETE_FILE: 'reject' }, measured: { kind: 'video' } },
  }),
  hostile('reference-movie', 'a QuickTime film that only says where the film is', referenceMovie, {
    expect: {
      state: 'rejected',
      problems: { INCOMPLETE_FILE: 'reject', ...CONVERTED },
      measured: { container: 'mov' },
    },
  }),
  hostile('playlist-in-subtitles', 'an AVI whose subtitles are a playlist', playlistInSubtitles, {
    place: OUTCOME,
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, NO_AUDIO: 'warn' },
      measured: { container: 'avi' },
    },
  }),
  hostile(
    'pdf-streams-elsewhere',
    'a PDF whose contents lie in a local file and at an address: nobody sees any',
    (c, { url, secretPath }) => externalStreams(c, url, secretPath),
    {
      place: PLAN,
      expect: {
        state: 'rejected',
        problems: { PDF_DAMAGED: 'reject' },
        measured: { kind: 'pdf', undrawnPages: [1] },
      },
    },
  ),
]

const GREEDY: readonly Row[] = [
  hostile('many-pixels', '199 KB that decode to 8192x8192', pixelBomb, { expect: undecodable(INDEX_LAST) }),
  hostile('hidden-pixels', 'the same, called 320x180 by its index', hiddenBomb, {
    expect: undecodable({ ...INDEX_LAST, ...SMALL }),
  }),
  hostile('ten-thousand-tracks', 'an index of 10,000 tracks', (c) => tracks(c, 10_000), {
    expect: undecodable(INDEX_LAST),
  }),
  hostile('two-dozen-streams', 'one picture and 24 sounds', manyStreams, {
    expect: undecodable({ ...INDEX_LAST, ...SMALL }),
  }),
  hostile('billions-of-samples', 'twelve bytes that claim four billion samples', billionsOfSamples, {
    expect: { state: 'rejected', problems: { INCOMPLETE_FILE: 'reject' }, measured: { kind: 'video' } },
  }),
  hostile('hundred-thousand-boxes', 'a lesson with 100,000 empty boxes behind it', (c) => manyBoxes(c, 100_001), {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 4, measured: { container: 'mp4' } },
  }),
  hostile('hundred-thousand-boxes-first', 'the same boxes before the index', (c) => manyBoxes(c, 100_001, 'moov'), {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 4, measured: { container: 'mp4' } },
  }),
  hostile('endless-element', 'Matroska with an element behind it that is larger than any disk', endlessElement, {
    expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 4, measured: { container: 'matroska' } },
  }),
  hostile(
    'months-between-pictures',
    'two seconds whose clock jumps by three months: the jump is no time',
    absurdTimes,
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, DURATION_INCONSISTENT: 'warn' },
        seconds: 2,
        measured: { container: 'matroska' },
      },
    },
  ),
  hostile(
    'ten-days',
    'twelve seconds of pictures, stretched to ten days by the index, where no length is enforced',
    (c) => long(c, 864_000),
    {
      place: SCHOOL,
      expect: undecodable(),
    },
  ),
  hostile('pdf-inflating', '10 KB that unpack to 64 MiB, sixteen times on one page', (c) => inflating(c, 64, 16), {
    place: PLAN,
    bounds: { seconds: 20 },
    expect: { state: 'rejected', problems: { PDF_TOO_COMPLEX: 'reject' } },
  }),
  hostile('pdf-three-filters', 'some hundred bytes that unpack to 4 GiB on one page', (c) => nestedFilters(c, 4), {
    place: PLAN,
    expect: { state: 'rejected', problems: { PDF_TOO_COMPLEX: 'reject' } },
  }),
  hostile('pdf-tiny-tiles', 'a pattern of tiles a thousandth of a point wide', tinyTiles, {
    place: PLAN,
    expect: { state: 'rejected', problems: { PDF_TOO_COMPLEX: 'reject' } },
  }),
  hostile(
    'pdf-deep-numbers',
    '1,200,000 numbers a hundred levels down: more than is listed, and no error of the file',
    (c) => deepNumbers(c, 1_200_000),
    {
      place: PLAN,
      expect: { problems: { PDF_UNCHECKED: 'warn' }, measured: { pages: 1 } },
    },
  ),
  hostile('pdf-huge-picture', 'a picture of 900 million points in 110 KB', hugePicture, {
    place: PLAN,
    bounds: { seconds: 60 },
    expect: { measured: { pages: 1 } },
  }),
  hostile('pdf-multiplying', 'drawings of ten drawings each: a hundred million strokes', (c) => multiplying(c), {
    place: PLAN,
    expect: { state: 'rejected', problems: { PDF_TOO_COMPLEX: 'reject' } },
  }),
]

export const HOSTILE: readonly Row[] = [...REACHING, ...GREEDY]
