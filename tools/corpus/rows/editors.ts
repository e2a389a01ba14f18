// Recordings from editors, phones and broadcasts. All are legitimate and must be accepted, except encrypted ones.

import {
  amrPhone,
  bareWebm,
  heldPicture,
  largeTags,
  lockedFilm,
  midAir,
} from '../../../test/support/media/odd-streams.ts'
import {
  covered,
  joinedTransportStreams,
  lateStart,
  pictureWithSpeech,
  talkative,
  wakingCamera,
} from '../../../test/support/media/rare-videos.ts'
import { AAC, mp4, PLACE, recorded, TONE } from '../../../test/support/media/recordings.ts'
import { headTrimmed } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })
const other = (container: string) => ({ container })
/** Unchanged, and with the GPS position removed. */
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const

const LONG_PART = { seconds: 20, picture: 'testsrc2=s=320x180:r=5' }

export const EDITORS: readonly Row[] = [
  video(
    'joined-long-parts',
    'the same of 20 seconds each: the tools guess half of it',
    (c) => joinedTransportStreams(c, LONG_PART),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED },
        seconds: 40,
        measured: other('mpegts'),
        renditions: SHOWN,
      },
    },
  ),
  video('bare-webm', 'a browser’s WebM that tells no rate, its pictures at uneven times', bareWebm, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('webm'),
      renditions: SHOWN,
    },
  }),
  video('old-phone-amr', '3GP with H.263 and AMR', amrPhone, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('3gp'),
      renditions: { video: { state: 'ready', width: 176, height: 144 } },
    },
  }),
  video('large-tags', 'four mebibytes of comment', largeTags, {
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 3,
      measured: other('matroska'),
      renditions: SHOWN,
    },
    secrets: ['SECRET-'],
  }),
  video('locked', 'an MP4 encrypted as streaming shops do', lockedFilm, {
    expect: {
      state: 'rejected',
      problems: { ...SMALL, VIDEO_UNDECODABLE: 'reject' },
      measured: { encrypted: true },
    },
  }),
  video('late-start', 'a transport stream whose clock starts at ten hours', lateStart, {
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 3,
      measured: other('mpegts'),
      renditions: SHOWN,
    },
  }),
  video(
    'joined-parts',
    'two parts of a camera’s stream joined: the clock starts anew half-way',
    (c) => joinedTransportStreams(c),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED },
        seconds: 6,
        measured: other('mpegts'),
        renditions: SHOWN,
      },
    },
  ),
  video(
    'late-sound',
    'the sound begins two seconds after the picture',
    (c) => mp4(c, 'late-sound.mp4', { seconds: 4, sounds: [`${TONE},asetpts=PTS+2/TB`] }),
    {
      expect: { problems: SMALL, seconds: 4, within: 2.1, renditions: SHOWN },
    },
  ),
  video('honest-trim', 'the start cut off without encoding: hidden samples, an edit list', headTrimmed, {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 4.6, renditions: SHOWN },
  }),
  video('waking-camera', 'two black pictures, then a lesson; the only keyframe is black', wakingCamera, {
    expect: { problems: SMALL, seconds: 6, renditions: SHOWN },
  }),
  video('held-picture', 'a screen recording whose last picture stays for ten seconds', heldPicture, {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 12, renditions: SHOWN },
  }),
  video('caught-in-mid-air', 'a transport stream that begins between two keyframes', midAir, {
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 8.4,
      within: 0.6,
      measured: other('mpegts'),
      renditions: SHOWN,
    },
  }),
  video(
    'late-fragments',
    'fragments with an edit list of no length, pictures out of order',
    (c) =>
      recorded(c, 'late-fragments.mp4', { seconds: 4 }, [
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-g',
        '25',
        '-pix_fmt',
        'yuv420p',
        ...AAC,
        '-movflags',
        '+frag_keyframe+delay_moov',
      ]),
    {
      expect: { problems: SMALL, seconds: 4, measured: { fragmented: true }, renditions: SHOWN },
    },
  ),
  video(
    'segmented',
    'fragments with an index of their own, as streaming sites keep them',
    (c) => mp4(c, 'dash.mp4', { seconds: 4 }, ['-movflags', '+dash+global_sidx']),
    {
      expect: { problems: SMALL, seconds: 4, measured: { fragmented: true }, renditions: SHOWN },
    },
  ),
  video(
    'sound-first',
    'the sound is the first track',
    (c) => mp4(c, 'sound-first.mp4', {}, ['-map', '-0', '-map', '-1', '-map', '1', '-map', '0']),
    {
      expect: { problems: SMALL, seconds: 3, renditions: SHOWN },
    },
  ),
  video(
    'screen-avi',
    'AVI of a screen recorder with a codec of its own (ZMBV)',
    (c) =>
      recorded(c, 'screen.avi', { seconds: 2, picture: 'testsrc2=s=320x180:r=10' }, [
        '-c:v',
        'zmbv',
        '-pix_fmt',
        'bgr0',
        '-c:a',
        'pcm_s16le',
      ]),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 2,
        measured: other('avi'),
        renditions: SHOWN,
      },
    },
  ),
  video(
    'lossless-avi',
    'AVI of a screen recorder with a lossless codec (Ut Video)',
    (c) =>
      recorded(c, 'lossless.avi', { seconds: 2, picture: 'testsrc2=s=320x180:r=10' }, [
        '-c:v',
        'utvideo',
        '-c:a',
        'pcm_s16le',
      ]),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 2,
        measured: other('avi'),
        renditions: SHOWN,
      },
    },
  ),
  video('cover-picture', 'a lesson with a picture of its cover', covered, {
    expect: { problems: SMALL, seconds: 4, measured: { videoCodec: 'h264' }, renditions: SHOWN },
  }),
  video('one-picture', 'one picture and ten seconds of speech', pictureWithSpeech, {
    expect: { problems: { ...SMALL, AV_LENGTH_MISMATCH: 'warn' }, seconds: 10, renditions: SHOWN },
  }),
  video('talkative-mp4', 'subtitles, time code, chapters, names and places in MP4', (c) => talkative(c, 'mp4'), {
    secrets: [PLACE, 'SECRET-'],
    expect: { problems: SMALL, seconds: 4, renditions: SHOWN },
  }),
  video('talkative-mkv', 'the same in Matroska, with an attachment', (c) => talkative(c, 'mkv'), {
    secrets: [PLACE, 'SECRET-'],
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 4,
      measured: other('matroska'),
      renditions: SHOWN,
    },
  }),
]
