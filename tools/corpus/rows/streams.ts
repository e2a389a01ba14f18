// Recordings with more than one video and one audio stream, or with rare streams: each stream is judged separately.

import { writeFile } from 'node:fs/promises'
import { type Corpus, ffmpeg } from '../../../test/support/media/corpus.ts'
import { AAC, mp4, recorded, TONE, VP8, X264 } from '../../../test/support/media/recordings.ts'
import { lesson } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, OUTCOME, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video' })
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const
const MOVING = 'testsrc2=s=320x180:r=25'

/** A rare audio codec with an ordinary picture. */
const rareSound =
  (name: string, codec: readonly string[], rate = 48_000) =>
  (c: Corpus) =>
    recorded(c, name, { sounds: [`sine=r=${rate}`] }, [...X264, '-c:a', ...codec])
const rarePicture = (name: string, codec: readonly string[]) => (c: Corpus) =>
  recorded(c, name, {}, ['-c:v', ...codec, '-c:a', 'aac'])

const rare = (name: string, about: string, make: Row['make'], container: string) =>
  video(name, about, make, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: { container },
      renditions: SHOWN,
    },
  })

/** A video stream of one frame before the film, not marked as a cover. */
async function stillFirst(c: Corpus, extension: 'mp4' | 'mkv'): Promise<string> {
  const source = await lesson(c)
  const still = await c.file('still.mp4', (path) =>
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=25:d=0.04', ...X264, path),
  )
  return await c.file(`still-first.${extension}`, (path) =>
    ffmpeg('-i', still, '-i', source, '-map', '0:v', '-map', '1', '-c', 'copy', path),
  )
}

async function damagedSound(c: Corpus): Promise<string> {
  const source = await mp4(c, 'to-damage.mp4', {})
  return await c.file('damaged-sound.mp4', (path) =>
    ffmpeg('-i', source, '-c', 'copy', '-bsf:a', 'noise=amount=1', '-movflags', '+faststart', path),
  )
}

/** A cover before the film, an unknown audio codec before a common one, and subtitles in many languages. */
async function subtitled(c: Corpus, count: number): Promise<string> {
  const source = await lesson(c)
  const words = await c.file('words.srt', (path) => writeFile(path, '1\n00:00:00,000 --> 00:00:03,000\nword\n'))
  return await c.file(`subtitled-${count}.mkv`, (path) =>
    ffmpeg(
      '-i',
      source,
      '-i',
      words,
      '-map',
      '0',
      ...Array.from({ length: count }, () => ['-map', '1']).flat(),
      '-c',
      'copy',
      '-c:s',
      'srt',
      path,
    ),
  )
}

export const STREAMS: readonly Row[] = [
  rare(
    'sound-gsm',
    'an AVI with the sound of a telephone',
    (c) => recorded(c, 'gsm.avi', { sounds: ['sine=r=8000'] }, ['-c:v', 'mpeg4', '-c:a', 'gsm_ms']),
    'avi',
  ),
  rare('sound-wavpack', 'Matroska with WavPack', rareSound('wavpack.mkv', ['wavpack']), 'matroska'),
  rare('sound-truehd', 'Matroska with TrueHD', rareSound('truehd.mkv', ['truehd', '-strict', '-2']), 'matroska'),
  rare('sound-64-bit', 'a MOV with samples of 64 bits', rareSound('f64.mov', ['pcm_f64le']), 'mov'),
  rare('picture-ffvhuff', 'an AVI of lossless pictures', rarePicture('ffvhuff.avi', ['ffvhuff']), 'avi'),
  rare('picture-magicyuv', 'the same of another editor', rarePicture('magicyuv.mkv', ['magicyuv']), 'matroska'),
  video(
    'picture-unknown',
    'a codec that nothing here decodes: the name of it and a way out, no talk of damage',
    rarePicture('snow.mkv', ['snow', '-strict', '-2']),
    {
      expect: {
        state: 'rejected',
        problems: { ...SMALL, ...CONVERTED, CODEC_UNCOMMON: 'reject' },
        seconds: 3,
        measured: { videoCodec: 'snow' },
      },
    },
  ),
  video(
    'sound-unknown',
    'a sound that nothing here decodes: the picture is shown without it',
    rareSound('sonic.mkv', ['sonic', '-strict', '-2']),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        measured: { audioCodec: 'sonic' },
        renditions: { video: { ...SHOWN.video, channels: null } },
      },
    },
  ),
  video(
    'sound-unknown-and-known',
    'an unknown sound before one that plays',
    async (c) => {
      const rareOne = await rareSound('sonic.mkv', ['sonic', '-strict', '-2'])(c)
      const source = await lesson(c)
      return await c.file('two-codecs.mkv', (path) =>
        ffmpeg('-i', source, '-i', rareOne, '-map', '0:v', '-map', '1:a', '-map', '0:a', '-c', 'copy', path),
      )
    },
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, MULTI_AUDIO: 'advise' },
        measured: { audioCodec: 'aac', audioTracks: 2 },
        renditions: { video: { ...SHOWN.video, channels: 1 } },
      },
    },
  ),
  video('sound-damaged', 'a sound of which no packet decodes: the picture is shown without it', damagedSound, {
    expect: {
      problems: { ...SMALL, AUDIO_UNDECODABLE: 'warn' },
      measured: { audioCodec: 'aac', audioDamaged: true },
      renditions: { video: { ...SHOWN.video, channels: null } },
    },
  }),
  video(
    'sound-damaged-and-good',
    'the same before a sound that plays',
    async (c) => {
      const damaged = await damagedSound(c)
      return await c.file('damaged-and-good.mp4', (path) =>
        ffmpeg(
          ['-i', damaged, '-f', 'lavfi', '-t', '3', '-i', 'sine=r=48000,aformat=channel_layouts=stereo'],
          ['-map', '0', '-map', '1', '-c', 'copy', '-c:a:1', 'aac', '-movflags', '+faststart', path],
        ),
      )
    },
    {
      expect: {
        problems: { ...SMALL, MULTI_AUDIO: 'advise' },
        measured: { audioStream: 2 },
        renditions: { video: { ...SHOWN.video, channels: 2 } },
      },
    },
  ),
  video('still-before-film', 'an MP4 whose first picture is a still', (c) => stillFirst(c, 'mp4'), {
    expect: {
      problems: { ...SMALL, NOT_STREAMABLE: 'advise' },
      seconds: 4,
      measured: { width: 320, height: 180 },
      renditions: SHOWN,
    },
  }),
  video('still-before-film-mkv', 'the same in Matroska', (c) => stillFirst(c, 'mkv'), {
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 4,
      measured: { width: 320, height: 180 },
      renditions: SHOWN,
    },
  }),
  video('many-subtitles', 'twenty tracks of subtitles', (c) => subtitled(c, 20), {
    expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 4, renditions: SHOWN },
  }),
  video(
    'cover-before-film',
    'a cover picture as the first stream',
    async (c) => {
      const source = await lesson(c)
      const cover = await c.file('first-cover.png', (path) =>
        ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=600x600:d=0.04:r=25', '-frames:v', '1', path),
      )
      return await c.file('cover-first.mp4', (path) =>
        ffmpeg(
          ['-i', cover, '-i', source, '-map', '0', '-map', '1', '-c', 'copy'],
          ['-disposition:v:0', 'attached_pic', '-movflags', '+faststart', path],
        ),
      )
    },
    { expect: { problems: SMALL, seconds: 4, measured: { width: 320 }, renditions: SHOWN } },
  ),
  video(
    'short-sound-first',
    'a sound that was switched off again at once, before the one of the lesson',
    (c) =>
      mp4(c, 'short-sound.mp4', {
        sounds: [`${TONE},atrim=end=0.2`, 'sine=f=880:r=48000,aformat=channel_layouts=stereo'],
      }),
    {
      expect: {
        problems: { ...SMALL, MULTI_AUDIO: 'advise' },
        seconds: 3,
        measured: { audioStream: 2, audioChannels: 2 },
        renditions: { video: { ...SHOWN.video, channels: 2 } },
      },
    },
  ),
  video(
    'sound-without-samples',
    'a track of sound is announced, and there is none',
    async (c) => {
      const silent = await recorded(c, 'soundless.mkv', { sounds: [] }, X264)
      const short = await recorded(c, 'announced.mkv', { picture: null, seconds: 1 }, AAC)
      return await c.file('announced-sound.mkv', (path) =>
        ffmpeg('-i', silent, '-i', short, '-map', '0', '-map', '1', '-c', 'copy', '-bsf:a', 'noise=drop=1', path),
      )
    },
    {
      place: OUTCOME,
      expect: {
        problems: { ...SMALL, ...CONVERTED, NO_AUDIO: 'warn' },
        seconds: 3,
        renditions: { video: { ...SHOWN.video, channels: null } },
      },
    },
  ),
  video(
    'timecode-track',
    'a MOV of an editor with a track of time codes',
    (c) => recorded(c, 'timecode.mov', {}, [...X264, ...AAC, '-timecode', '10:00:00:00']),
    { expect: { problems: { ...SMALL, ...CONVERTED }, seconds: 3, renditions: SHOWN } },
  ),
  video(
    'webm-alpha',
    'a WebM whose pictures have a second layer for transparency',
    (c) =>
      recorded(c, 'alpha.webm', { picture: `${MOVING},format=yuva420p` }, [
        ...VP8,
        '-auto-alt-ref',
        '0',
        '-pix_fmt',
        'yuva420p',
        '-c:a',
        'libopus',
      ]),
    { expect: { problems: { ...SMALL, ...CONVERTED, ...UNCOMMON }, seconds: 3, renditions: SHOWN } },
  ),
]
