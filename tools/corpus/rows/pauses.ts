// Good recordings that look as if they had holes: pauses of the microphone, still screens, frames that a keyframe-only decoder
// skips, clock jumps where two recordings were joined, bytes of streams that are not shown.

import { readFile, writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from '../../../test/support/media/corpus.ts'
import { noise } from '../../../test/support/media/damage.ts'
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
import { CLIP, CONVERTED, INDEX_LAST, OUTCOME, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video' })

const PICTURE = 'testsrc2=s=320x180:r=25'
const SLOW = ['-c:v', 'libx264', '-preset', 'medium', '-pix_fmt', 'yuv420p']

/** Five seconds at the beginning and at the end; nothing moves and nobody speaks in between. */
const awake = (seconds: number) => `lt(t\\,5)+gt(t\\,${seconds - 5})`
const STILL: Recording = { seconds: 60, picture: `${PICTURE},select='${awake(60)}'`, sounds: [] }
const SILENT: Recording = { ...STILL, sounds: [`${TONE},aselect='${awake(60)}'`] }
const PAUSED: Recording = {
  seconds: 40,
  picture: PICTURE,
  sounds: [`${TONE},aselect='not(between(t\\,8\\,32))'`],
}

const still: Make = (c) => recorded(c, 'still.mkv', STILL, ['-fps_mode', 'vfr', ...X264])
const stillAndSilent: Make = (c) => recorded(c, 'still-silent.mkv', SILENT, ['-fps_mode', 'vfr', ...X264, ...AAC])
const paused: Make = (c) => recorded(c, 'paused.mkv', PAUSED, [...X264, '-g', '25', ...AAC])
const as =
  (name: string, whole: Make, args: readonly string[] = []): Make =>
  async (c, bait) =>
    rewrapped(c, await whole(c, bait), name, args)

/** Nearly all packets of a pause are left out, as calls and browsers do: what is left is 400 ms apart. */
const sparseSound =
  (extension: 'mp4' | 'webm'): Make =>
  async (c) => {
    const speech = "aevalsrc='if(lt(mod(t,20),5),0.2*sin(2*PI*300*t)*(1+0.5*sin(7*t)),0)':s=48000"
    const whole = await recorded(
      c,
      `dtx-${extension}.mkv`,
      { seconds: 40, picture: PICTURE, sounds: [speech] },
      [
        extension === 'mp4' ? [...X264, '-g', '50'] : [...VP8, '-g', '50'],
        ['-c:a', 'libopus', '-application', 'voip', '-b:a', '24k', '-dtx', '1'],
      ].flat(),
    )
    const drop = "noise=drop='lt(size\\,10)*gt(mod(n\\,20)\\,0)'"
    return await rewrapped(c, whole, `dtx.${extension}`, ['-bsf:a', drop])
  }

const openGroups: Make = (c) =>
  mp4(c, 'open-groups.mp4', { seconds: 40, picture: PICTURE }, [
    ...SLOW,
    '-x264-params',
    'open-gop=1:keyint=50:bframes=3:b-adapt=0',
  ])
const cutOut =
  (name: string): Make =>
  async (c, bait) => {
    const whole = await openGroups(c, bait)
    return await c.file(name, (path) => ffmpeg('-ss', '11.3', '-i', whole, '-t', '20', '-c', 'copy', path))
  }

const BYTES_OF_A_FONT = 3_000_000
const withFont: Make = async (c, bait) => {
  const film = await still(c, bait)
  const font = await c.file('noise.ttf', (path) => writeFile(path, noise(BYTES_OF_A_FONT)))
  const args = ['-attach', font, '-metadata:s:t', 'mimetype=application/x-truetype-font', '-map', '0', '-c', 'copy']
  return await c.file('with-font.mkv', (path) => ffmpeg('-i', film, ...args, path))
}
const withCover: Make = async (c, bait) => {
  const film = await still(c, bait)
  const cover = await c.file('cover.png', (path) =>
    ffmpeg('-f', 'lavfi', '-i', 'color=s=900x900', '-vf', 'noise=alls=100', '-frames:v', '1', path),
  )
  const args = ['-map', '0', '-map', '1', '-c', 'copy', '-disposition:v:1', 'attached_pic']
  return await c.file('with-cover.mp4', (path) => ffmpeg('-i', film, '-i', cover, ...args, path))
}
const film: Make = (c) => mp4(c, 'to-join.mp4', { seconds: 15, picture: PICTURE })
/** Recordings whose clocks begin at these seconds, one behind the other. */
const joined =
  (name: string, ...starts: readonly number[]): Make =>
  async (c, bait) => {
    const parts: Buffer[] = []
    for (const start of starts)
      parts.push(await readFile(await as(`at-${start}.ts`, film, ['-output_ts_offset', String(start)])(c, bait)))
    return await c.file(name, (path) => writeFile(path, Buffer.concat(parts)))
  }

const aMinute = (name: string, args: readonly string[]): Make => {
  return (c: Corpus) =>
    recorded(c, name, { seconds: 180, picture: `${PICTURE},select='lt(mod(t\\,60)\\,0.04)'` }, [
      '-fps_mode',
      'vfr',
      ...X264,
      ...AAC,
      ...args,
    ])
}

const MUTE = { NO_AUDIO: 'warn' } as const
const good = (problems: Row['expect']['problems'], seconds: number, within = 0.5) => ({
  expect: { problems: { ...SMALL, ...problems }, seconds, within },
})

export const PAUSES: readonly Row[] = [
  video('paused-microphone-mp4', 'a pause that MP4 writes as one long packet of sound', as('paused.mp4', paused), {
    ...good(INDEX_LAST, 40),
  }),
  video('paused-microphone-mov', 'the same in MOV', as('paused.mov', paused), good(CONVERTED, 40)),
  video('sparse-sound-mp4', 'Opus that sends nothing while nobody speaks, in MP4', sparseSound('mp4'), {
    ...good({ ...INDEX_LAST, ...UNCOMMON }, 40),
  }),
  video('sparse-sound-webm', 'the same in WebM', sparseSound('webm'), good({ ...CONVERTED, ...UNCOMMON }, 40)),
  video('open-groups-cut', 'cut out of a film of open groups without encoding', cutOut('cut-open.mkv'), {
    ...good(CONVERTED, 21.6, 1),
  }),
  video(
    'refreshed-bit-by-bit',
    'a picture that is refreshed column by column and has one keyframe',
    (c) =>
      mp4(c, 'refreshed.mp4', { seconds: 20, picture: PICTURE }, [
        ...SLOW,
        '-x264-params',
        'intra-refresh=1:keyint=50',
      ]),
    good({}, 20),
  ),
  video(
    'b-frames-avi',
    'AVI with H.264 whose pictures are not shown in the order of decoding',
    (c) => recorded(c, 'b-frames.avi', { seconds: 10 }, [...SLOW, '-bf', '3', '-c:a', 'mp3']),
    good({ ...CONVERTED, ...UNCOMMON }, 10),
  ),
  video(
    'b-frames-xvid',
    'the same of MPEG-4 with few keyframes',
    (c) => recorded(c, 'xvid.avi', { seconds: 20 }, ['-c:v', 'mpeg4', '-bf', '2', '-g', '300', '-c:a', 'mp3']),
    good({ ...CONVERTED, ...UNCOMMON }, 20),
  ),
  video('still-with-font', 'a mute screen that stands still, and a font of megabytes', withFont, {
    place: OUTCOME,
    ...good({ ...CONVERTED, ...MUTE }, 60),
  }),
  video('still-with-cover', 'the same with a cover picture, in MP4', withCover, {
    place: OUTCOME,
    ...good({ ...INDEX_LAST, ...MUTE }, 60),
  }),
  video(
    'still-and-silent',
    'nothing moves and nobody speaks for most of the time: Matroska',
    stillAndSilent,
    good(CONVERTED, 60),
  ),
  video('still-and-silent-mp4', 'the same in MP4', as('still-silent.mp4', stillAndSilent), good(INDEX_LAST, 60)),
  video(
    'still-and-silent-webm',
    'the same in WebM',
    (c) => recorded(c, 'still-silent.webm', SILENT, ['-fps_mode', 'vfr', ...VP8, '-c:a', 'libopus']),
    good({ ...CONVERTED, ...UNCOMMON }, 60),
  ),
  video(
    'joined-minutes-apart',
    'two recordings of a camera, joined; its clock went on for five minutes in between',
    joined('minutes-apart.ts', 10, 325),
    good(CONVERTED, 30),
  ),
  video(
    'joined-three',
    'three whose clocks go back and forth',
    joined('three-clocks.ts', 400, 10, 200),
    good(CONVERTED, 45),
  ),
  video(
    'picture-a-minute',
    'a screen recording with a picture a minute under a voice',
    aMinute('a-minute.mp4', ['-movflags', '+faststart']),
    { expect: { problems: { ...SMALL, AV_LENGTH_MISMATCH: 'warn' }, seconds: 180, within: 0.5 } },
  ),
  video(
    'picture-a-minute-fragments',
    'the same in fragments',
    aMinute('a-minute-fragments.mp4', ['-movflags', 'frag_keyframe+empty_moov+default_base_moof']),
    { expect: { problems: { ...SMALL, AV_LENGTH_MISMATCH: 'warn' }, seconds: 180, within: 0.5 } },
  ),
]
