// For one limit, a file on each side of it, as close to the limit as possible.

import type { Measured, Severity } from '../../../src/records/upload-record.ts'
import type { RuleCode } from '../../../src/submissions/rules/codes.ts'
import { long } from '../../../test/support/media/lies.ts'
import { noPages } from '../../../test/support/media/pdf-kinds.ts'
import { pdf } from '../../../test/support/media/pdfs.ts'
import { AAC, mp4, recorded, X264 } from '../../../test/support/media/recordings.ts'
import { paddedMp4, paddedPdf } from '../../../test/support/media/sizes.ts'
import { lesson } from '../../../test/support/media/videos.ts'
import type { Make } from '../model.ts'
import { IN_CONTAINER, REFUSED } from './containers.ts'
import type { Limit } from './limits.ts'
import { CONVERTED, UNCOMMON } from './places.ts'

export type Side = {
  /** `within`, `beyond`, or the name of a thing. */
  name: string
  about: string
  code: RuleCode
  breaks: boolean
  make: Make
  /** Other problems of the file in that slot. */
  others?: Partial<Record<RuleCode, Severity>>
  measured?: Partial<Measured>
  seconds?: number
  before?: readonly Make[]
  plannedMinutes?: number
  /** The rule needs a read of the complete file. */
  read?: true
}

/** Breaks no rule: 480 lines, sound, index in front. */
const clean: Make = (c) => lesson(c, { size: '640x480', framesPerSecond: 10, seconds: 2 })
/** Rounding error of a time scale. */
const HAIR_SECONDS = 0.05

export function sidesOf(limit: Limit): Side[] {
  const [, rule = ''] = limit.name.split(' ')
  const sides = TABLE[rule]
  if (sides === undefined) throw new Error(`no files for ${limit.name}`)
  return sides(limit)
}

const pair = (
  code: RuleCode,
  within: Omit<Side, 'name' | 'code' | 'breaks'>,
  beyond: Omit<Side, 'name' | 'code' | 'breaks'>,
): Side[] => [
  { name: 'within', code, breaks: false, ...within },
  { name: 'beyond', code, breaks: true, ...beyond },
]

const lasting = (seconds: number) => ({
  about: `${seconds} s`,
  seconds,
  make: ((c) => long(c, seconds)) as Make,
})

const TABLE: Record<string, (limit: Limit) => Side[]> = {
  maxBytes({ media: { kind, maxBytes } }) {
    const of = (bytes: number) => ({
      about: `${bytes} bytes`,
      make: (async (c, bait) =>
        kind === 'pdf' ? await paddedPdf(c, bytes) : await paddedMp4(c, await clean(c, bait), bytes)) as Make,
    })
    return pair('UPLOAD_TOO_LARGE', of(maxBytes), of(maxBytes + 1))
  },
  maxDurationSeconds({ media: { maxDurationSeconds = 0, durationToleranceSeconds } }) {
    const most = maxDurationSeconds + durationToleranceSeconds
    return pair('DURATION_EXCEEDED', lasting(most - HAIR_SECONDS), lasting(most + HAIR_SECONDS))
  },
  minDurationSeconds({ media: { minDurationSeconds = 0 } }) {
    return pair(
      'DURATION_TOO_SHORT',
      lasting(minDurationSeconds + HAIR_SECONDS),
      lasting(minDurationSeconds - HAIR_SECONDS),
    )
  },
  advisedMinDurationSeconds({ media: { advisedMinDurationSeconds: least = 0 } }) {
    return pair('DURATION_SHORT', lasting(least + HAIR_SECONDS), lasting(least - HAIR_SECONDS))
  },
  videoCodecs: () => pair('CODEC_UNCOMMON', codecs('h264', X264, AAC), codecs('hevc', HEVC, AAC)),
  audioCodecs: () => pair('CODEC_UNCOMMON', codecs('aac', X264, AAC), codecs('mp3', X264, ['-c:a', 'libmp3lame'])),
  minShortSidePixels({ media: { minShortSidePixels: least = 0 } }) {
    return pair('LOW_RESOLUTION', ofSize(640, least), ofSize(640, least - 2))
  },
  maxFramesPerSecond({ media: { maxFramesPerSecond: most = 0 } }) {
    return pair('FRAME_RATE_HIGH', ofRate(most), ofRate(most + 1))
  },
  maxPages({ media: { maxPages: most = 0 } }) {
    return pair('PDF_TOO_MANY_PAGES', ofPages(most), ofPages(most + 1))
  },
  minPages({ media: { minPages: least = 0 } }) {
    const none = { about: 'no page', make: noPages, measured: { pages: 0 } }
    return pair('PDF_TOO_FEW_PAGES', ofPages(least), least === 1 ? none : ofPages(least - 1))
  },
  containers({ media }) {
    const refusal = media.otherContainers === 'reject' ? 'CONTAINER_NOT_ALLOWED' : 'CONTAINER_CONVERTED'
    const taken = [...media.containers, ...media.remediableContainers]
    const codecs = media.videoCodecs === undefined ? {} : UNCOMMON
    const side = (container: string, breaks: boolean): Side => {
      const made = IN_CONTAINER[container]
      if (made === undefined) throw new Error(`no file in ${container}`)
      const converted = !breaks && media.remediableContainers.includes(container) && refusal !== 'CONTAINER_CONVERTED'
      return {
        name: container,
        about: made.about,
        code: refusal,
        breaks,
        make: made.make,
        measured: { container },
        others: { ...(made.uncommon ? codecs : {}), ...(converted ? CONVERTED : {}) },
      }
    }
    const kept = refusal === 'CONTAINER_CONVERTED' ? media.containers : taken
    return [
      ...kept.map((name) => side(name, false)),
      ...REFUSED.filter((name) => !taken.includes(name)).map((name) => side(name, true)),
    ]
  },
  maxPerKind({ slot, media }) {
    const most = slot.maxPerKind[media.kind] ?? 0
    const nth =
      (n: number): Make =>
      (c) =>
        media.kind === 'pdf'
          ? pdf(c, `nth-${n}.pdf`, { pages: n + 1 })
          : lesson(c, { size: '640x480', framesPerSecond: 10, seconds: 2 + n })
    const after = (n: number) => ({
      about: `after ${n} others`,
      make: nth(n),
      before: Array.from({ length: n }, (_, i) => nth(i)),
    })
    return pair('KIND_LIMIT_EXCEEDED', after(most - 1), after(most))
  },
  plannedTime({ slot, media }) {
    const minutes = Math.floor((media.maxDurationSeconds ?? 3600) / 120)
    const tolerance = slot.plannedTime?.toleranceSeconds ?? 0
    const off = (seconds: number) => ({
      ...lasting(minutes * 60 + seconds),
      plannedMinutes: minutes,
      read: true as const,
    })
    return pair('PLAN_TIME_MISMATCH', off(tolerance - 1), off(tolerance + 1))
  },
}

const HEVC = [
  '-c:v',
  'libx265',
  '-preset',
  'ultrafast',
  '-x265-params',
  'log-level=error',
  '-pix_fmt',
  'yuv420p',
  '-tag:v',
  'hvc1',
]
const FRONT = ['-movflags', '+faststart']
const PICTURE = 'testsrc2=s=640x480:r=10'

function codecs(name: string, video: readonly string[], audio: readonly string[]) {
  const make: Make = (c) =>
    recorded(c, `codec-${name}.mp4`, { seconds: 2, picture: PICTURE }, [...video, ...audio, ...FRONT])
  return { about: name, make }
}

function ofSize(width: number, height: number) {
  const make: Make = (c) => mp4(c, `size-${height}.mp4`, { seconds: 2, picture: `testsrc2=s=${width}x${height}:r=10` })
  return { about: `${width}x${height}`, make, measured: { width, height } }
}

function ofRate(rate: number) {
  const make: Make = (c) => mp4(c, `rate-${rate}.mp4`, { seconds: 2, picture: `testsrc2=s=640x480:r=${rate}` })
  return { about: `${rate} frames/s`, make, measured: { framesPerSecond: rate } }
}

function ofPages(pages: number) {
  const make: Make = (c) => pdf(c, `pages-${pages}.pdf`, { pages })
  return { about: `${pages} pages`, make, measured: { pages } }
}
