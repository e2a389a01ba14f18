// Recordings that some browsers play and others do not: the rendition is encoded.

import { readFile, writeFile } from 'node:fs/promises'
import type { Corpus } from '../../../test/support/media/corpus.ts'
import { setMatrixTo } from '../../../test/support/media/mp4-bytes.ts'
import { mp4 } from '../../../test/support/media/recordings.ts'
import { lesson } from '../../../test/support/media/videos.ts'
import type { Make, Row } from '../model.ts'
import { CLIP, rowsOf, SMALL } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const

const withMatrix =
  (name: string, matrix: readonly [number, number, number, number]): Make =>
  async (c: Corpus) => {
    const source = await lesson(c)
    return await c.file(`${name}.mp4`, async (path) => writeFile(path, setMatrixTo(await readFile(source), matrix)))
  }
const rate = (framesPerSecond: number) => (c: Corpus) =>
  mp4(c, `rate-${framesPerSecond}.mp4`, { seconds: 2, picture: `testsrc2=s=320x180:r=${framesPerSecond}` })

export const COPIES: readonly Row[] = [
  video('rate-75', '75 pictures a second: every third is shown', rate(75), {
    expect: {
      problems: { ...SMALL, FRAME_RATE_HIGH: 'warn' },
      seconds: 2,
      renditions: { video: { ...SHOWN.video, framesPerSecond: 25 } },
    },
  }),
  video('rate-144', 'a game’s 144 pictures a second: every fifth is shown', rate(144), {
    expect: {
      problems: { ...SMALL, FRAME_RATE_HIGH: 'warn' },
      seconds: 2,
      renditions: { video: { ...SHOWN.video, framesPerSecond: 28.8 } },
    },
  }),
  video(
    'full-range',
    'luma from 0 to 255, as many phones film',
    (c) => mp4(c, 'full-range.mp4', { seconds: 2 }, ['-pix_fmt', 'yuvj420p', '-color_range', 'pc']),
    {
      expect: {
        problems: SMALL,
        seconds: 2,
        renditions: { video: { ...SHOWN.video, pixelFormat: 'yuv420p' } },
      },
    },
  ),
  video(
    'level-5-2',
    'small pictures that claim to need the largest decoder',
    (c) => mp4(c, 'level-52.mp4', { seconds: 2 }, ['-level:v', '5.2']),
    { expect: { problems: SMALL, seconds: 2, renditions: SHOWN } },
  ),
  video('matrix-of-zeros', 'a display matrix of zeros', withMatrix('zeros', [0, 0, 0, 0]), {
    expect: { problems: SMALL, seconds: 4, renditions: SHOWN },
  }),
  video('mirror-image', 'a front camera’s mirror image', withMatrix('mirrored', [-1, 0, 0, 1]), {
    expect: { problems: SMALL, seconds: 4, renditions: SHOWN },
  }),
]
