// Recordings of complete length with holes: disks that lost blocks, transfers that lost packets. And good recordings
// that look similar: slides, still screens, sound with pauses.

import { zeroed } from '../../../test/support/media/damage.ts'
import {
  AAC,
  mp4,
  type Recording,
  recorded,
  rewrapped,
  TONE,
  VP8,
  X264,
} from '../../../test/support/media/recordings.ts'
import type { Make, Row } from '../model.ts'
import { CLIP, CONVERTED, GAPS, OUTCOME, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('damaged', CLIP, { kind: 'video' })

const MOVING: Recording = { seconds: 20, picture: 'testsrc2=s=320x180:r=25' }
const GOP = ['-g', '25']
const film: Make = (c) => mp4(c, 'to-hole.mp4', MOVING, [...GOP, '-movflags', '+faststart'])
const browserFilm: Make = (c) => recorded(c, 'to-hole.webm', MOVING, [...VP8, ...GOP, '-c:a', 'libopus'])
const rewrap =
  (extension: 'mkv' | 'ts' | 'mov'): Make =>
  async (c, bait) =>
    rewrapped(c, await film(c, bait), `to-hole.${extension}`)

const holed =
  (name: string, whole: Make, ...spans: readonly (readonly [number, number])[]): Make =>
  async (c, bait) =>
    zeroed(c, await whole(c, bait), name, ...spans)

const MIDDLE = [0.35, 0.65] as const
const SCATTERED = [
  [0.2, 0.3],
  [0.5, 0.6],
  [0.8, 0.9],
] as const

const hole = (name: string, about: string, make: Make, problems: Row['expect']['problems'], seconds = 20) =>
  video(name, about, make, { expect: { problems: { ...SMALL, ...GAPS, ...problems }, seconds, within: 1 } })

export const HOLES: readonly Row[] = [
  hole('hole-mp4', 'MP4, 30 % of its bytes in the middle are zeros', holed('hole.mp4', film, MIDDLE), {}),
  hole('hole-mov', 'the same of a MOV', holed('hole.mov', rewrap('mov'), MIDDLE), CONVERTED),
  hole('hole-mkv', 'the same of Matroska', holed('hole.mkv', rewrap('mkv'), MIDDLE), CONVERTED),
  hole('hole-ts', 'the same of a transport stream', holed('hole.ts', rewrap('ts'), MIDDLE), CONVERTED),
  hole('hole-webm', 'the same of WebM', holed('hole.webm', browserFilm, MIDDLE), { ...CONVERTED, ...UNCOMMON }),
  hole('holes-mp4', 'MP4 with three holes of a tenth each', holed('holes.mp4', film, ...SCATTERED), {}),
  hole('holes-mkv', 'the same of Matroska', holed('holes.mkv', rewrap('mkv'), ...SCATTERED), CONVERTED),
  hole('holes-ts', 'the same of a transport stream', holed('holes.ts', rewrap('ts'), ...SCATTERED), CONVERTED),
  video(
    'slides-under-a-voice',
    'a picture every five seconds',
    (c) => mp4(c, 'slides.mp4', { seconds: 20, picture: 'testsrc2=s=320x180:r=1/5' }),
    { expect: { problems: { ...SMALL }, seconds: 20, within: 5 } },
  ),
  video(
    'screen-stands-still',
    'a screen recording without sound, whose pictures come in bursts',
    (c) =>
      recorded(c, 'bursts.webm', { seconds: 20, picture: 'testsrc2=s=320x180:r=25', sounds: [] }, [
        '-vf',
        "select='lt(mod(t\\,8)\\,2)'",
        '-fps_mode',
        'vfr',
        ...VP8,
      ]),
    {
      place: OUTCOME,
      expect: { problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, NO_AUDIO: 'warn' } },
    },
  ),
  video(
    'sound-pauses',
    'a microphone that was off for ten seconds, while the picture went on',
    (c) =>
      recorded(c, 'pausing.mkv', { ...MOVING, sounds: [`${TONE},aselect='not(between(t\\,6\\,16))'`] }, [
        ...X264,
        ...AAC,
      ]),
    { expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 20 } },
  ),
  video(
    'one-keyframe',
    'a screen recorder that writes a keyframe at the start and none later',
    (c) => mp4(c, 'one-keyframe.mp4', MOVING, ['-g', '100000', '-sc_threshold', '0']),
    { expect: { problems: { ...SMALL }, seconds: 20 } },
  ),
]
