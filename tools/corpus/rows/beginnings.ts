// Recordings that do not begin as their kind usually does.

import { readFile, writeFile } from 'node:fs/promises'
import type { Corpus } from '../../../test/support/media/corpus.ts'
import { beheaded } from '../../../test/support/media/damage.ts'
import { unflaggedReference } from '../../../test/support/media/hostile.ts'
import { renameBox } from '../../../test/support/media/mp4-bytes.ts'
import { interlaced } from '../../../test/support/media/rare-videos.ts'
import { AAC, recorded, X264 } from '../../../test/support/media/recordings.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video' })

/** A MOV with a filler box in place of its type box. */
async function filled(corpus: Corpus, type: 'free' | 'skip'): Promise<string> {
  const source = await recorded(corpus, 'typed.mov', {}, [...X264, ...AAC])
  return await corpus.file(`${type}.mov`, async (path) =>
    writeFile(path, renameBox(await readFile(source), 'ftyp', type)),
  )
}

const fillerFirst = (type: 'free' | 'skip') =>
  video(`mov-${type}-first`, `a MOV whose first box is ‘${type}’`, (c) => filled(c, type), {
    expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 3, measured: { container: 'mov' } },
  })

export const BEGINNINGS: readonly Row[] = [
  fillerFirst('free'),
  fillerFirst('skip'),
  video(
    'stream-from-the-middle',
    'a transport stream that begins in the middle of a packet',
    async (c) => beheaded(c, await recorded(c, 'from-start.ts', {}, [...X264, '-g', '10', ...AAC]), 'middle.ts', 77),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED },
        seconds: 3,
        within: 0.6,
        measured: { container: 'mpegts' },
      },
    },
  ),
  video(
    'camcorder-from-the-middle',
    'the same of a camcorder, whose packets have 192 bytes',
    async (c) => beheaded(c, await interlaced(c), 'middle.mts', 130),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 3,
        within: 0.6,
        measured: { container: 'mpegts' },
      },
    },
  ),
  video('reference-to-itself', 'an MP4 whose data reference has neither flag nor place', unflaggedReference, {
    expect: { problems: SMALL, seconds: 4, measured: { container: 'mp4', complete: true } },
  }),
]
