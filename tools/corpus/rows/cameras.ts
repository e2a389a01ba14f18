// Recordings from cameras, phones and camcorders, old and new. All are legitimate and must be accepted.

import {
  anamorphic,
  interlaced,
  oldQuickTime,
  pqMov,
  upsideDown,
  withTrailer,
} from '../../../test/support/media/rare-videos.ts'
import { AAC, mp4, PLACE, recorded } from '../../../test/support/media/recordings.ts'
import { avi, hdrMov, lesson, phoneMov } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('recordings', CLIP, { kind: 'video', container: 'mp4' })
const other = (container: string) => ({ container })
/** Unchanged, and with the GPS position removed. */
const SHOWN = { video: { state: 'ready', width: 320, height: 180 } } as const

export const CAMERAS: readonly Row[] = [
  video('plain-480', 'MP4, H.264 and AAC, 640x480, index first', (c) => lesson(c, { size: '640x480', seconds: 3 }), {
    secrets: [PLACE],
    expect: { seconds: 3, measured: { videoCodec: 'h264', audioCodec: 'aac', indexFirst: true } },
  }),
  video('camera-mp4', 'the same, its index written last, as cameras do', (c) => lesson(c, { faststart: false }), {
    secrets: [PLACE],
    expect: {
      problems: { ...SMALL, ...INDEX_LAST },
      seconds: 4,
      measured: { indexFirst: false },
      renditions: SHOWN,
    },
  }),
  video(
    'phone-upright',
    'a phone held upright: HEVC in MOV, lying, with a matrix, and the place it was filmed',
    phoneMov,
    {
      secrets: [PLACE],
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, PORTRAIT: 'warn' },
        seconds: 3,
        measured: { ...other('mov'), videoCodec: 'hevc', rotation: 90, width: 320, height: 180 },
        renditions: {
          video: { state: 'ready', width: 180, height: 320 },
          poster: { state: 'ready', width: 180, height: 320 },
        },
      },
    },
  ),
  video(
    'phone-upside-down',
    'MP4 with a matrix that turns by half: streams are kept, and the matrix with them',
    upsideDown,
    {
      expect: { problems: SMALL, seconds: 4, measured: { rotation: 180 }, renditions: SHOWN },
    },
  ),
  video('portrait', 'upright without a matrix', (c) => lesson(c, { size: '180x320' }), {
    expect: {
      problems: { ...SMALL, PORTRAIT: 'warn' },
      renditions: { video: { state: 'ready', width: 180, height: 320 } },
    },
  }),
  video(
    'larger-than-shown',
    '1280x960: the rendition is made smaller',
    (c) => lesson(c, { size: '1280x960', framesPerSecond: 5, seconds: 2 }),
    {
      expect: { seconds: 2, renditions: { video: { state: 'ready', width: 960, height: 720 } } },
    },
  ),
  video(
    'four-k',
    '3840x2160 in HEVC, as new phones film',
    (c) =>
      recorded(c, 'four-k.mov', { seconds: 1.2, picture: 'testsrc2=s=3840x2160:r=5' }, [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=error',
        '-tag:v',
        'hvc1',
        ...AAC,
      ]),
    {
      expect: {
        problems: { ...CONVERTED, ...UNCOMMON },
        seconds: 1.2,
        measured: { ...other('mov'), width: 3840, height: 2160 },
        renditions: { video: { state: 'ready', width: 1280, height: 720 } },
      },
    },
  ),
  video(
    'sixty-a-second',
    '60 frames a second are within the limit; the rendition has 30',
    (c) => lesson(c, { framesPerSecond: 60, seconds: 2 }),
    {
      expect: { problems: SMALL, seconds: 2, measured: { framesPerSecond: 60 } },
    },
  ),
  video('slow-motion', '120 frames a second', (c) => lesson(c, { framesPerSecond: 120, seconds: 2 }), {
    expect: {
      problems: { ...SMALL, FRAME_RATE_HIGH: 'warn' },
      seconds: 2,
      measured: { framesPerSecond: 120 },
    },
  }),
  video(
    'ten-bit',
    'H.264 with ten bits, which browsers do not play',
    (c) => mp4(c, 'ten-bit.mp4', {}, ['-pix_fmt', 'yuv420p10le']),
    {
      expect: { problems: SMALL, seconds: 3, renditions: SHOWN },
    },
  ),
  video(
    'reordered',
    'pictures out of order (B-frames), as editors export',
    (c) =>
      recorded(c, 'reordered.mp4', {}, [
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-pix_fmt',
        'yuv420p',
        ...AAC,
        '-movflags',
        '+faststart',
      ]),
    {
      expect: { problems: SMALL, seconds: 3, renditions: SHOWN },
    },
  ),
  video('hdr-pq', 'HEVC in ten bits with the PQ curve', pqMov, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 2,
      measured: other('mov'),
      renditions: SHOWN,
    },
  }),
  video('hdr-hlg', 'HEVC in ten bits with the HLG curve and six channels', hdrMov, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 2,
      measured: { ...other('mov'), audioChannels: 6 },
      renditions: { video: { ...SHOWN.video, channels: 2 } },
    },
  }),
  video('anamorphic', '360x288 with pixels that are wider than high', anamorphic, {
    expect: {
      problems: SMALL,
      seconds: 3,
      measured: { width: 360, height: 288 },
      renditions: { video: { state: 'ready', width: 524, height: 288 } },
    },
  }),
  video('interlaced', 'a camcorder’s AVCHD-like stream: 192-byte packets, MPEG-2 in halves, AC-3', interlaced, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('mpegts'),
      renditions: { video: { state: 'ready', width: 320, height: 240 } },
    },
  }),
  video('phone-trailer', 'words of the phone’s maker behind the last box', withTrailer, {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 4, measured: { complete: true } },
  }),
  video('old-quicktime', 'QuickTime without a type box, PCM sound', oldQuickTime, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 3,
      measured: other('mov'),
      renditions: SHOWN,
    },
  }),
  video(
    'studio-mov',
    'ProRes and PCM in MOV',
    (c) => recorded(c, 'studio.mov', { seconds: 2 }, ['-c:v', 'prores_ks', '-profile:v', '0', '-c:a', 'pcm_s24le']),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 2,
        measured: { ...other('mov'), videoCodec: 'prores' },
        renditions: SHOWN,
      },
    },
  ),
  video(
    'old-phone-3gp',
    '3GP with H.263',
    (c) =>
      recorded(c, 'old-phone.3gp', { picture: 'testsrc2=s=176x144:r=30000/1001', sounds: ['sine=r=16000'] }, [
        '-c:v',
        'h263',
        ...AAC,
      ]),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
        seconds: 3,
        measured: other('3gp'),
        renditions: { video: { state: 'ready', width: 176, height: 144 } },
      },
    },
  ),
  video('avi-mpeg4', 'AVI with MPEG-4 and MP3', avi, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON },
      seconds: 2,
      measured: other('avi'),
      renditions: SHOWN,
    },
  }),
  video(
    'avi-mjpeg',
    'an old camera’s AVI: a JPEG a picture, PCM',
    (c) =>
      recorded(c, 'old-camera.avi', { seconds: 2, sounds: ['sine=r=11025'] }, [
        '-c:v',
        'mjpeg',
        '-pix_fmt',
        'yuvj422p',
        '-c:a',
        'pcm_u8',
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
]
