// Picture and sound that do not begin and end together, and timestamps that do not start at zero.

import { type Corpus, ffmpeg } from '../../../test/support/media/corpus.ts'
import { AAC, mp4, recorded, VP8, X264 } from '../../../test/support/media/recordings.ts'
import type { Make, Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video' })
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const
const AUDIO = ['-c:a', 'libopus']

/** Picture and sound of the given seconds, one of them late. */
const late =
  (name: string, which: 'picture' | 'sound', bySeconds: number, seconds: number): Make =>
  async (c: Corpus) => {
    const picture = await recorded(c, `picture-${seconds}.mp4`, { seconds, sounds: [] }, [...X264, '-g', '25'])
    const sound = await recorded(
      c,
      `sound-${bySeconds}-${seconds}.m4a`,
      {
        picture: null,
        seconds: which === 'picture' ? seconds + bySeconds : seconds,
      },
      AAC,
    )
    const offset = (is: boolean) => (is ? ['-itsoffset', String(bySeconds)] : [])
    return await c.file(name, (path) =>
      ffmpeg(
        [...offset(which === 'picture'), '-i', picture, ...offset(which === 'sound'), '-i', sound],
        ['-map', '0', '-map', '1', '-c', 'copy', path],
      ),
    )
  }

export const CLOCKS: readonly Row[] = [
  video(
    'delayed-sound',
    'twelve seconds of sound that begin six seconds late',
    late('delayed-sound.mp4', 'sound', 6, 12),
    {
      expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 18, renditions: SHOWN },
    },
  ),
  video('delayed-sound-mkv', 'the same in Matroska', late('delayed-sound.mkv', 'sound', 6, 12), {
    expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 18, renditions: SHOWN },
  }),
  video('delayed-sound-ts', 'the same in a transport stream', late('delayed-sound.ts', 'sound', 6, 12), {
    expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 18, within: 0.5, renditions: SHOWN },
  }),
  video(
    'late-picture',
    'a picture that begins forty seconds after the sound',
    late('late-picture.mp4', 'picture', 40, 12),
    {
      expect: {
        problems: { ...SMALL, ...INDEX_LAST, AV_LENGTH_MISMATCH: 'warn' },
        seconds: 52,
        renditions: SHOWN,
      },
    },
  ),
  video('late-picture-mkv', 'the same in Matroska', late('late-picture.mkv', 'picture', 40, 12), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, AV_LENGTH_MISMATCH: 'warn' },
      seconds: 52,
      renditions: SHOWN,
    },
  }),
  video('late-picture-ts', 'the same in a transport stream', late('late-picture.ts', 'picture', 40, 12), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, AV_LENGTH_MISMATCH: 'warn' },
      seconds: 52,
      within: 0.5,
      renditions: SHOWN,
    },
  }),
  video(
    'slides-mjpeg',
    'an AVI of a picture a second, as slides are filmed',
    (c) =>
      recorded(c, 'slides.avi', { seconds: 60, picture: 'testsrc2=s=320x180:r=1' }, ['-c:v', 'mjpeg', '-c:a', 'mp3']),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 60.5,
        within: 0.6,
        renditions: SHOWN,
      },
    },
  ),
  video(
    'slides-webm',
    'a WebM of a picture a second, without sound of another length',
    (c) => recorded(c, 'slides.webm', { seconds: 20, picture: 'testsrc2=s=320x180:r=1' }, [...VP8, ...AUDIO]),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 20,
        within: 1,
        renditions: SHOWN,
      },
    },
  ),
  video(
    'second-with-b-frames',
    'one second whose pictures are not shown in the order of decoding',
    (c) => mp4(c, 'b-frames.mp4', { seconds: 1 }, ['-preset', 'medium', '-bf', '3', '-x264-params', 'b-adapt=0']),
    { expect: { problems: SMALL, seconds: 1, within: 0.05, renditions: SHOWN } },
  ),
]
