// Incomplete files: interrupted copies, recordings that ended with the battery, disks that lost blocks.

import { behind, cutAt, wiped, wipedTail, within } from '../../../test/support/media/damage.ts'
import { truncated } from '../../../test/support/media/hostile.ts'
import { recorded, rewrapped, X264 } from '../../../test/support/media/recordings.ts'
import { avi, fragmented, lesson, phoneMov, streamed, transportStream } from '../../../test/support/media/videos.ts'
import type { Expected, Make, Row } from '../model.ts'
import { CLIP, CONVERTED, GAPS, rowsOf, SMALL, UNCOMMON } from './places.ts'

const video = rowsOf('damaged', CLIP, { kind: 'video' })

const INCOMPLETE: Partial<Expected> = {
  state: 'rejected',
  problems: { INCOMPLETE_FILE: 'reject' },
  measured: { complete: false },
}
const CONVERTED_INCOMPLETE: Partial<Expected> = {
  ...INCOMPLETE,
  problems: { INCOMPLETE_FILE: 'reject', ...CONVERTED },
}
/** A copy that was interrupted at 60 per cent. */
const share =
  (name: string, whole: Make): Make =>
  async (corpus, bait) =>
    await truncated(corpus, await whole(corpus, bait), 0.6, name)

const front: Make = (c) => lesson(c)
const back: Make = (c) => lesson(c, { faststart: false })
const cut =
  (name: string, whole: Make, at: Parameters<typeof cutAt>[3]): Make =>
  async (corpus, bait) =>
    await cutAt(corpus, await whole(corpus, bait), name, at)

export const DAMAGED: readonly Row[] = [
  video('cut-index-first', 'MP4, 60 % of it; ffprobe calls it whole', share('cut-front.mp4', front), {
    expect: INCOMPLETE,
  }),
  video('cut-index-last', 'MP4 with its index last, 60 % of it', share('cut-back.mp4', back), {
    expect: INCOMPLETE,
  }),
  video('cut-in-index', 'broken off within the index', cut('cut-moov.mp4', front, within('moov')), {
    expect: INCOMPLETE,
  }),
  video(
    'cut-before-index',
    'all media, and the index behind it missing',
    cut('cut-between.mp4', back, behind('mdat')),
    { expect: INCOMPLETE },
  ),
  video('index-alone', 'the index, and not a byte of the media', cut('cut-media.mp4', front, behind('moov')), {
    expect: INCOMPLETE,
  }),
  video('short-by-a-byte', 'the last byte of the media is missing', cut('byte-front.mp4', front, -1), {
    expect: INCOMPLETE,
  }),
  video('short-by-a-byte-last', 'the last byte of the index is missing', cut('byte-back.mp4', back, -1), {
    expect: INCOMPLETE,
  }),
  video(
    'cut-fragments',
    'MP4 in fragments, broken off in the middle of one: nothing tells how long it should have been',
    share('cut-fragments.mp4', fragmented),
    {
      expect: {
        problems: { ...SMALL, RECORDING_CUT_OFF: 'warn' },
        seconds: 2.4,
        within: 0.6,
        measured: { fragmented: true, complete: true, tornEnd: true },
      },
    },
  ),
  video(
    'fewer-fragments',
    'two of four fragments: nothing tells that there were more',
    cut('two-fragments.mp4', fragmented, behind('mdat', 2)),
    {
      expect: { problems: SMALL, seconds: 2, measured: { fragmented: true, complete: true } },
    },
  ),
  video('cut-mov', 'a phone’s MOV, 60 % of it', share('cut.mov', phoneMov), { expect: CONVERTED_INCOMPLETE }),
  video(
    'cut-mkv',
    'Matroska, 60 % of it',
    share('cut.mkv', async (c) => rewrapped(c, await lesson(c), 'whole.mkv')),
    { expect: CONVERTED_INCOMPLETE },
  ),
  video(
    'cut-webm',
    'a browser’s WebM, broken off within a picture: nothing tells how long it should have been',
    share('cut.webm', (c) => streamed(c, 'webm')),
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, RECORDING_CUT_OFF: 'warn' },
        seconds: 1.8,
        within: 0.6,
        measured: { container: 'webm', complete: true },
      },
    },
  ),
  video(
    'torn-live-mkv',
    'twenty seconds streamed to disk, the last cluster torn: eighteen of them are good',
    async (c) => {
      const live = await recorded(c, 'live-20.mkv', { seconds: 20, picture: 'testsrc2=s=320x180:r=10' }, [
        ...X264,
        '-g',
        '10',
        '-c:a',
        'aac',
        '-live',
        '1',
      ])
      return await truncated(c, live, 0.9, 'torn.mkv')
    },
    {
      expect: {
        problems: { ...SMALL, ...CONVERTED, RECORDING_CUT_OFF: 'warn' },
        seconds: 18,
        within: 1,
        measured: { container: 'matroska', complete: true },
      },
    },
  ),
  video('cut-avi', 'AVI, 60 % of it', share('cut.avi', avi), { expect: CONVERTED_INCOMPLETE }),
  video('cut-transport-stream', 'a stream has no length: what is there counts', share('cut.ts', transportStream), {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...UNCOMMON, RECORDING_CUT_OFF: 'warn' },
      seconds: 1.8,
      within: 0.6,
      measured: { container: 'mpegts' },
    },
  }),
  video(
    'wiped',
    'all there by its lengths, but the media is zeros',
    async (c) => wiped(c, await lesson(c), 'wiped.mp4', 0),
    { expect: { state: 'rejected', problems: { ...SMALL, VIDEO_UNDECODABLE: 'reject' } } },
  ),
  video(
    'wiped-half',
    'the second half of the media is zeros',
    async (c) => wiped(c, await lesson(c, { seconds: 10, framesPerSecond: 10, gop: 10 }), 'wiped-half.mp4', 0.5),
    { expect: { state: 'rejected', problems: { ...SMALL, VIDEO_UNDECODABLE: 'reject' } } },
  ),
  video(
    'wiped-middle',
    'three seconds in the middle of the media are zeros',
    async (c) =>
      wiped(c, await lesson(c, { seconds: 10, framesPerSecond: 10, gop: 10 }), 'wiped-middle.mp4', 0.35, 0.65),
    { expect: { problems: { ...SMALL, ...GAPS }, seconds: 10 } },
  ),
  video(
    'wiped-mkv',
    'Matroska whose second half is zeros',
    async (c) => {
      const whole = await recorded(c, 'to-wipe.mkv', { seconds: 10, picture: 'testsrc2=s=320x180:r=10' }, [
        ...X264,
        '-g',
        '10',
        '-c:a',
        'aac',
      ])
      return await wipedTail(c, whole, 'wiped.mkv')
    },
    { expect: { state: 'rejected', problems: { ...CONVERTED, INCOMPLETE_FILE: 'reject' } } },
  ),
]
