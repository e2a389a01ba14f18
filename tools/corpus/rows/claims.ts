// Headers, edit lists and tags that do not match the contents of the file.

import { readFile, writeFile } from 'node:fs/promises'
import { forgedHeader, forgedLong, forgedMatroska, forgedTags } from '../../../test/support/media/hostile.ts'
import {
  claimsLess,
  hiddenByEdits,
  hourThatClaimsTenMinutes,
  repeatedByEdits,
} from '../../../test/support/media/lies.ts'
import { setMovieSeconds } from '../../../test/support/media/mp4-bytes.ts'
import { fragmented } from '../../../test/support/media/videos.ts'
import type { Row } from '../model.ts'
import { CLIP, CONVERTED, INDEX_LAST, rowsOf, SMALL } from './places.ts'

const video = rowsOf('claims', CLIP, { kind: 'video', container: 'mp4' })
const LIES = { DURATION_INCONSISTENT: 'warn' } as const

export const CLAIMS: readonly Row[] = [
  video('claims-three-seconds', '21 seconds; headers and edit lists say 3', claimsLess, {
    expect: { problems: { ...SMALL, ...LIES }, seconds: 21 },
  }),
  video('claims-minutes', '4 seconds; headers and edit lists say 400', forgedLong, {
    expect: { problems: { ...SMALL, ...LIES }, seconds: 4 },
  }),
  video('header-alone-lies', '4 seconds; only the movie header says 9,999', (c) => forgedHeader(c, 9999), {
    expect: { problems: { ...SMALL, ...LIES }, seconds: 4, measured: { headerDurationSeconds: 9999 } },
  }),
  video(
    'hour-that-claims-ten-minutes',
    'an hour whose headers and edit list say what the slot allows',
    hourThatClaimsTenMinutes,
    {
      expect: {
        state: 'rejected',
        problems: { DURATION_EXCEEDED: 'reject', ...LIES },
        seconds: 3600,
        measured: { headerDurationSeconds: 600 },
      },
    },
  ),
  video('hidden-by-edits', '21 seconds by header and samples; the edit list plays 3', hiddenByEdits, {
    expect: { problems: { ...SMALL, ...INDEX_LAST, ...LIES }, seconds: 21 },
  }),
  video('repeated-by-edits', 'the edit list plays the same 4 seconds three times', (c) => repeatedByEdits(c, 3), {
    expect: { problems: { ...SMALL, ...INDEX_LAST }, seconds: 12 },
  }),
  video(
    'repeated-beyond-the-limit',
    'the edit list plays 4 seconds two hundred times',
    (c) => repeatedByEdits(c, 200),
    {
      expect: {
        state: 'rejected',
        problems: { DURATION_EXCEEDED: 'reject', ...SMALL, ...INDEX_LAST, ...LIES },
        seconds: 800,
      },
    },
  ),
  video(
    'fragments-claim-an-hour',
    'fragments of 4 seconds under a header that says an hour',
    async (c) => {
      const source = await fragmented(c)
      return await c.file('fragments-hour.mp4', async (path) =>
        writeFile(path, setMovieSeconds(await readFile(source), 3600)),
      )
    },
    { expect: { problems: SMALL, seconds: 4, measured: { fragmented: true } } },
  ),
  video('mkv-claims-ten-hours', 'Matroska of 4 seconds whose Duration says ten hours', forgedMatroska, {
    expect: {
      problems: { ...SMALL, ...CONVERTED, ...LIES },
      seconds: 4,
      measured: { container: 'matroska', headerDurationSeconds: 36_000 },
    },
  }),
  video('forged-tags', 'a title and a comment that look like ffprobe’s own lines: 7,200 s, and a sound', forgedTags, {
    expect: {
      state: 'rejected',
      problems: { NO_AUDIO: 'reject', ...SMALL, ...CONVERTED },
      seconds: 1,
      measured: { container: 'matroska' },
    },
  }),
]
