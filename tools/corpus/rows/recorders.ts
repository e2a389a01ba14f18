// Recordings from browsers, screen recorders and calls. All are legitimate and must be accepted.

import { resizedCall, twoSounds } from '../../../test/support/media/rare-videos.ts'
import { AAC, mp4, recorded, X264 } from '../../../test/support/media/recordings.ts'
import { fragmented, streamed } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })
const other = (container: string) => ({ container })
/** Unchanged, and with the GPS position removed. */
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
  video('browser-webm', 'WebM as browsers record it: VP8 and Opus, no duration anywhere', (c) => streamed(c, 'webm'), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('webm'),
      renditions: SHOWN,
    },
  }),
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
      recorded(c, 'av1.mp4', { seconds: 2 }, ['-c:v', 'libsvtav1', '-preset', '12', ...AAC, '-movflags', '+faststart']),
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
  video('telephone-sound', 'one channel at 8 kHz', (c) => mp4(c, 'telephone.mp4', { sounds: ['sine=r=8000'] }), {
    expect: {
      problems: SMALL,
      seconds: 3,
      measured: { audioChannels: 1 },
      renditions: { video: { ...SHOWN.video, channels: 1 } },
    },
  }),
  video('two-sounds', 'the room and the microphone on two tracks', twoSounds, {
    expect: {
      problems: { ...SMALL, MULTI_AUDIO: 'advise' },
      seconds: 3,
      measured: { audioTracks: 2 },
      renditions: SHOWN,
    },
  }),
  video('dolby-mkv', 'Matroska with H.264 and AC-3', (c) => recorded(c, 'dolby.mkv', {}, [...X264, '-c:a', 'ac3']), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('matroska'),
      renditions: SHOWN,
    },
  }),
]
