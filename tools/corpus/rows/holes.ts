// Recordings of complete length with holes: disks that lost blocks, transfers that lost packets. And good recordings
// that look similar: slides, still screens, sound with pauses.

import { readFile, writeFile } from 'node:fs/promises'
import { cutAt, noisy, zeroed } from '../../../test/support/media/damage.ts'
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

const garbled =
  (name: string, whole: Make, span: readonly [number, number]): Make =>
  async (c, bait) =>
    noisy(c, await whole(c, bait), name, span)
const mute: Make = async (c, bait) => rewrapped(c, await film(c, bait), 'mute.mp4', ['-an', '-movflags', '+faststart'])
const inFragments: Make = async (c, bait) =>
  rewrapped(c, await film(c, bait), 'fragments-to-hole.mp4', ['-movflags', 'frag_keyframe+empty_moov'])
const manyTracks: Make = async (c, bait) => {
  const font = await c.file('zeros.ttf', (path) => writeFile(path, Buffer.alloc(200_000, 7)))
  const attached = ['-attach', font, '-metadata:s:t', 'mimetype=application/x-truetype-font']
  return await rewrapped(c, await film(c, bait), 'many-tracks.mkv', ['-map', '0:a', '-map', '0:a', ...attached])
}
const TS_PACKET_BYTES = 188
/** The last place before 70 % of it where a packet goes on with a picture. */
const betweenPackets = (bytes: Buffer): number => {
  const picture = 0x100
  for (let at = Math.floor((bytes.length * 0.7) / TS_PACKET_BYTES) * TS_PACKET_BYTES; at > 0; at -= TS_PACKET_BYTES)
    if (
      (bytes.readUInt16BE(at + 1) & 0x7fff) === picture &&
      (bytes.readUInt16BE(at + 1 - TS_PACKET_BYTES) & 0x7fff) === picture
    )
      return at
  throw new Error('no picture')
}
const gone: Make = async (c, bait) => {
  const whole = await readFile(await rewrap('ts')(c, bait))
  const at = (share: number) => Math.floor((whole.length * share) / TS_PACKET_BYTES) * TS_PACKET_BYTES
  const [from, to] = MIDDLE
  return await c.file('gone.ts', (path) =>
    writeFile(path, Buffer.concat([whole.subarray(0, at(from)), whole.subarray(at(to))])),
  )
}

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
  hole(
    'hole-many-tracks',
    'Matroska with three sounds and a font, 30 % of it zeros',
    holed('hole-many.mkv', manyTracks, MIDDLE),
    { ...CONVERTED, MULTI_AUDIO: 'advise' },
  ),
  video('hole-mute-mp4', 'an MP4 without sound, 30 % of it zeros', holed('hole-mute.mp4', mute, MIDDLE), {
    place: OUTCOME,
    expect: { problems: { ...SMALL, ...GAPS, NO_AUDIO: 'warn' }, seconds: 20 },
  }),
  video('noise-mute-mp4', 'the same with noise instead of zeros', garbled('noise-mute.mp4', mute, MIDDLE), {
    place: OUTCOME,
    expect: { problems: { ...SMALL, ...GAPS, NO_AUDIO: 'warn' }, seconds: 20 },
  }),
  hole('noise-mkv', 'Matroska, 30 % of it noise', garbled('noise.mkv', rewrap('mkv'), MIDDLE), CONVERTED),
  hole('gone-ts', 'a transport stream that lacks 30 % of its packets', gone, CONVERTED, 20),
  video(
    'cut-between-packets',
    'a transport stream that breaks off between two packets, within its last picture',
    async (c, bait) => cutAt(c, await rewrap('ts')(c, bait), 'between-packets.ts', betweenPackets),
    { expect: { problems: { ...SMALL, ...CONVERTED, RECORDING_CUT_OFF: 'warn' }, seconds: 14, within: 1 } },
  ),
  video(
    'noise-fragments',
    'MP4 in fragments, 30 % of it noise: players end there',
    garbled('noise-fragments.mp4', inFragments, MIDDLE),
    {
      expect: {
        problems: { ...SMALL, RECORDING_CUT_OFF: 'warn' },
        seconds: 8,
        within: 1,
        renditions: { video: { state: 'ready', seconds: 7.1 } },
      },
    },
  ),
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
