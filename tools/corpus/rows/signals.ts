// Picture and sound on both sides of each threshold.

import { mp4, recorded, TONE } from '../../../test/support/media/recordings.ts'
import { coverPicture, lesson } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, INDEX_LAST, OUTCOME, rowsOf, SMALL } from './places.ts'

const video = rowsOf('signals', CLIP, { kind: 'video', container: 'mp4' })
/** One keyframe per second. */
const SECONDLY = ['-g', '2']
const MOVING = 'testsrc2=s=320x180:r=2'

/** Twenty seconds that are black until the given one. */
const blackUntil = (second: number) => (c: Parameters<typeof mp4>[0]) =>
  mp4(
    c,
    `black-${second}.mp4`,
    { seconds: 20, picture: `${MOVING},drawbox=t=fill:c=black:enable='lt(t,${second})'` },
    SECONDLY,
  )

/** Twenty seconds with a still picture until the given one. */
const stillUntil = (second: number) => (c: Parameters<typeof mp4>[0]) =>
  mp4(
    c,
    `still-${second}.mp4`,
    {
      seconds: 20,
      picture: `smptebars=s=320x180:r=2[a];${MOVING}[b];[a][b]overlay=enable='gte(t,${second})'`,
    },
    SECONDLY,
  )

const SLOW_PICTURE = 'testsrc2=s=320x180:r=5'
/** Thirty seconds with a tone in the first ones only. */
const toneUntil = (second: number) => (c: Parameters<typeof mp4>[0]) =>
  mp4(c, `tone-${second}.mp4`, {
    seconds: 30,
    picture: SLOW_PICTURE,
    sounds: [`${TONE},volume=0:enable='gte(t,${second})'`],
  })

/** A tone at the given dB below full scale; lavfi's is at -21. */
const quiet = (db: number) => (c: Parameters<typeof mp4>[0]) =>
  mp4(c, `quiet${db}.mp4`, { seconds: 6, picture: SLOW_PICTURE, sounds: [`${TONE},volume=${db + 21}dB`] })

/** Three seconds of pictures, and longer sound. */
const soundOf = (seconds: number) => (c: Parameters<typeof mp4>[0]) =>
  mp4(c, `sound-${seconds}.mp4`, { seconds, picture: 'testsrc2=s=320x180:r=25,trim=end=3' })

export const SIGNALS: readonly Row[] = [
  video('no-sound', 'no sound where it is needed', (c) => lesson(c, { audio: 'none' }), {
    expect: { state: 'rejected', problems: { ...SMALL, NO_AUDIO: 'reject' }, seconds: 4 },
  }),
  video('no-sound-of-pupils', 'no sound where it is only usual', (c) => lesson(c, { audio: 'none' }), {
    place: OUTCOME,
    expect: {
      problems: { ...SMALL, NO_AUDIO: 'warn' },
      renditions: { video: { state: 'ready', channels: null } },
    },
  }),
  video('microphone-off', 'a sound track of digital silence', (c) => lesson(c, { audio: 'silence' }), {
    expect: {
      problems: { ...SMALL, SILENT_AUDIO: 'warn' },
      renditions: { video: { state: 'ready', channels: 1 } },
    },
  }),
  video('quiet-room', 'a quiet room, -55 dB', quiet(-55), { expect: { problems: SMALL } }),
  video('hardly-a-sound', 'quieter than any room, -65 dB', quiet(-65), {
    expect: { problems: { ...SMALL, SILENT_AUDIO: 'warn' } },
  }),
  video('mostly-silent', 'silent for 90 % of the time', toneUntil(3), { expect: { problems: SMALL } }),
  video('silent-but-a-click', 'silent for 97 % of the time', toneUntil(0.5), {
    expect: { problems: { ...SMALL, SILENT_AUDIO: 'warn' } },
  }),
  video('black', 'black from start to end', (c) => lesson(c, { picture: 'black' }), {
    expect: { state: 'rejected', problems: { ...SMALL, BLACK_VIDEO_ENTIRE: 'reject' } },
  }),
  video('black-45', 'black for 45 % of the time', blackUntil(9), { expect: { problems: SMALL } }),
  video('black-55', 'black for 55 % of the time', blackUntil(11), {
    expect: { problems: { ...SMALL, BLACK_VIDEO: 'warn' } },
  }),
  video('black-90', 'black for 90 % of the time', blackUntil(18), {
    expect: { problems: { ...SMALL, BLACK_VIDEO: 'warn' } },
  }),
  video('black-95', 'black for 95 % of the time', blackUntil(19), {
    expect: { state: 'rejected', problems: { ...SMALL, BLACK_VIDEO_ENTIRE: 'reject' } },
  }),
  video(
    'words-on-black',
    'a line of white words, 44 pixels high, on a black slide',
    (c) =>
      mp4(c, 'words.mp4', {
        seconds: 6,
        picture:
          'color=black:s=1280x720:r=5,drawbox=x=400+80*t:y=600:w=12:h=44:c=white:t=fill,drawbox=x=430:y=600:w=200:h=6:c=white:t=fill,drawbox=x=430:y=625:w=6:h=19:c=white:t=fill',
      }),
    { expect: { problems: { FROZEN_VIDEO: 'warn' } } },
  ),
  video(
    'dead-pixel',
    'a black picture with one white pixel: nothing is to be seen',
    (c) =>
      mp4(c, 'dead-pixel.mp4', {
        seconds: 6,
        picture: 'color=black:s=320x180:r=5,drawbox=x=9:y=9:w=1:h=1:c=white:t=fill',
      }),
    { expect: { state: 'rejected', problems: { ...SMALL, BLACK_VIDEO_ENTIRE: 'reject' } } },
  ),
  video('frozen', 'a test card throughout', (c) => lesson(c, { picture: 'still' }), {
    expect: { problems: { ...SMALL, FROZEN_VIDEO: 'warn' } },
  }),
  video('still-74', 'still for 74 % of the time', stillUntil(15), { expect: { problems: SMALL } }),
  video('still-84', 'still for 84 % of the time', stillUntil(17), {
    expect: { problems: { ...SMALL, FROZEN_VIDEO: 'warn' } },
  }),
  video('sound-goes-on', 'sound that is 4.5 seconds longer than the picture', soundOf(7.5), {
    expect: { problems: SMALL, seconds: 7.5 },
  }),
  video('sound-goes-on-for-long', 'sound that is 6.5 seconds longer than the picture', soundOf(9.5), {
    expect: { problems: { ...SMALL, AV_LENGTH_MISMATCH: 'warn' }, seconds: 9.5 },
  }),
  video('sound-with-a-cover', 'sound and a cover picture: no video', coverPicture, {
    expect: { state: 'rejected', problems: { NO_VIDEO: 'reject', ...INDEX_LAST } },
  }),
  video('sound-alone', 'an M4A', (c) => recorded(c, 'sound.m4a', { picture: null }, ['-c:a', 'aac']), {
    expect: {
      state: 'rejected',
      problems: { TYPE_MISMATCH: 'reject' },
      measured: { kind: 'audio', container: 'm4a' },
    },
  }),
]
