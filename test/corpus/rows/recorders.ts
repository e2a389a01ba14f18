// What browsers, screens, calls and editors record and write. All of it is honest and has to be taken.

import {
  covered,
  heldPicture,
  joinedTransportStreams,
  lateStart,
  midAir,
  pictureWithSpeech,
  resizedCall,
  talkative,
  twoSounds,
  wakingCamera,
} from '../../support/media/rare-videos.ts'
import { AAC, mp4, PLACE, recorded, TONE, X264 } from '../../support/media/recordings.ts'
import { fragmented, headTrimmed, streamed } from '../../support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })
const other = (container: string) => ({ container })
/** As it is, and with the place taken out. */
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const

export const RECORDERS: readonly Row[] = [
  video('browser-fragments', 'MP4 in fragments whose header knows no duration', fragmented, {
    expect: {
      problems: SMALL,
      seconds: 4,
      measured: { fragmented: true, indexFirst: true },
      renditions: SHOWN,
    },
  }),
  video(
    'browser-webm',
    'WebM as browsers record it: VP8 and Opus, no duration anywhere',
    (c) => streamed(c, 'webm'),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 3,
        measured: other('webm'),
        renditions: SHOWN,
      },
    },
  ),
  video('recorder-mkv', 'Matroska streamed to disk, no duration anywhere', (c) => streamed(c, 'matroska'), {
    expect: {
      problems: { ...SMALL, ...CONVERTED },
      seconds: 3,
      measured: other('matroska'),
      renditions: SHOWN,
    },
  }),
  video('call-that-shrinks', 'a recorded call whose picture becomes smaller half-way', resizedCall, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 4,
      measured: other('webm'),
      renditions: SHOWN,
    },
  }),
  video(
    'varying-rate',
    'a screen recording whose pictures come when something moves',
    (c) =>
      recorded(c, 'screen.mp4', { picture: "testsrc2=s=320x180:r=60,select='lt(t,1)+not(mod(n,7))'" }, [
        '-fps_mode',
        'vfr',
        '-enc_time_base:v',
        '1/600',
        ...X264,
        ...AAC,
        '-movflags',
        '+faststart',
      ]),
    {
      expect: { problems: SMALL, seconds: 3, renditions: SHOWN },
    },
  ),
  video(
    'odd-size',
    'VP9 of 321x181: H.264 needs even sides',
    (c) =>
      recorded(c, 'odd.webm', { seconds: 2, picture: 'testsrc=s=321x181:r=25,format=yuv420p' }, [
        '-c:v',
        'libvpx-vp9',
        '-deadline',
        'realtime',
        '-cpu-used',
        '8',
        '-c:a',
        'libopus',
      ]),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 2,
        measured: { ...other('webm'), width: 321, height: 181 },
        renditions: SHOWN,
      },
    },
  ),
  video(
    'av1',
    'AV1 in MP4',
    (c) =>
      recorded(c, 'av1.mp4', { seconds: 2 }, [
        '-c:v',
        'libsvtav1',
        '-preset',
        '12',
        ...AAC,
        '-movflags',
        '+faststart',
      ]),
    {
      expect: {
        problems: { ...SMALL, ...UNCOMMON },
        seconds: 2,
        measured: { videoCodec: 'av1' },
        renditions: SHOWN,
      },
    },
  ),
  video(
    'surround',
    'six channels',
    (c) =>
      mp4(c, 'surround.mp4', {
        sounds: ['aevalsrc=0.1*sin(440*t)|0.1*sin(550*t)|0.1*sin(660*t)|0|0|0:c=5.1'],
      }),
    {
      expect: {
        problems: SMALL,
        seconds: 3,
        measured: { audioChannels: 6 },
        renditions: { video: { ...SHOWN.video, channels: 2 } },
      },
    },
  ),
  video(
    'telephone-sound',
    'one channel at 8 kHz',
    (c) => mp4(c, 'telephone.mp4', { sounds: ['sine=r=8000'] }),
    {
      expect: {
        problems: SMALL,
        seconds: 3,
        measured: { audioChannels: 1 },
        renditions: { video: { ...SHOWN.video, channels: 1 } },
      },
    },
  ),
  video('two-sounds', 'the room and the microphone on two tracks', twoSounds, {
    expect: {
      problems: { ...SMALL, MULTI_AUDIO: 'advise' },
      seconds: 3,
      measured: { audioTracks: 2 },
      renditions: SHOWN,
    },
  }),
  video(
    'dolby-mkv',
    'Matroska with H.264 and AC-3',
    (c) => recorded(c, 'dolby.mkv', {}, [...X264, '-c:a', 'ac3']),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 3,
        measured: other('matroska'),
        renditions: SHOWN,
      },
    },
  ),
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
    joinedTransportStreams,
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
  video(
    'talkative-mp4',
    'subtitles, time code, chapters, names and places in MP4',
    (c) => talkative(c, 'mp4'),
    {
      secrets: [PLACE, 'SECRET-'],
      expect: { problems: SMALL, seconds: 4, renditions: SHOWN },
    },
  ),
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
