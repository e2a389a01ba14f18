// One file of 480 lines for every container that a profile may name.

import { AAC, recorded, VP8, X264 } from '../../../test/support/media/recordings.ts'
import type { Make } from '../model.ts'

const PICTURE = 'testsrc2=s=640x480:r=10'
const film =
  (name: string, args: readonly string[], rate = 48_000): Make =>
  (c) =>
    recorded(c, name, { seconds: 2, picture: PICTURE, sounds: [`sine=r=${rate}`] }, args)

/** `uncommon`: its codecs are not the recommended ones. */
type Made = { about: string; make: Make; uncommon: boolean }

export const IN_CONTAINER: Record<string, Made | undefined> = {
  mp4: { about: 'MP4', make: film('in.mp4', [...X264, ...AAC, '-movflags', '+faststart']), uncommon: false },
  mov: { about: 'QuickTime', make: film('in.mov', [...X264, ...AAC]), uncommon: false },
  '3gp': { about: '3GP', make: film('in.3gp', [...X264, ...AAC]), uncommon: false },
  matroska: { about: 'Matroska', make: film('in.mkv', [...X264, ...AAC]), uncommon: false },
  webm: {
    about: 'WebM',
    make: film('in.webm', [...VP8, '-c:a', 'libopus']),
    uncommon: true,
  },
  avi: { about: 'AVI', make: film('in.avi', ['-c:v', 'mpeg4', '-c:a', 'mp3']), uncommon: true },
  mpegts: { about: 'a transport stream', make: film('in.ts', [...X264, ...AAC]), uncommon: false },
  flv: { about: 'Flash video', make: film('in.flv', [...X264, ...AAC], 44_100), uncommon: false },
  asf: { about: 'Windows Media', make: film('in.wmv', ['-c:v', 'wmv2', '-c:a', 'wmav2']), uncommon: true },
  mpegps: {
    about: 'a program stream',
    make: film('in.mpg', ['-c:v', 'mpeg2video', '-r', '25', '-c:a', 'mp2', '-f', 'vob']),
    uncommon: true,
  },
  ogg: {
    about: 'Ogg with Theora',
    make: film('in.ogv', ['-c:v', 'libtheora', '-c:a', 'libvorbis']),
    uncommon: true,
  },
}

/** Containers that no shipped profile names. */
export const REFUSED: readonly string[] = ['flv', 'asf', 'mpegps', 'ogg']
