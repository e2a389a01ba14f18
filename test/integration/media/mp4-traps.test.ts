// What ffprobe believes and the index reader must not: files cut off, headers forged, edit lists that hide an hour.
// Each case first shows the trap with the real ffprobe, so that the test says why the reader exists.

import { readFile, stat } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Durations, lengthsOf } from '../../../src/media/mp4/durations.ts'
import { readMp4Index } from '../../../src/media/mp4/index.ts'
import { judgedDurationSeconds } from '../../../src/submissions/rules/duration.ts'
import { demux } from '../../../workers/media/demux.ts'
import { type ProbeResult, probe, type ToolContext } from '../../../workers/media/probe.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { spotDecode } from '../../../workers/media/spot-decode.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import {
  externalMedia,
  forgedHeader,
  forgedLong,
  forgedShort,
  truncated,
  unflaggedReference,
} from '../../support/media/hostile.ts'
import { fragmented, headTrimmed, lesson, phoneMov } from '../../support/media/videos.ts'

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

const judged = (durations: Durations): number | undefined => judgedDurationSeconds(lengthsOf(durations))
const index = async (path: string): ReturnType<typeof readMp4Index> => readMp4Index(await fileSource(path))
const believed = async (path: string): Promise<ProbeResult> => probe(context, await fileSource(path), 'mp4')
const BOTH = [
  { index: 0, kind: 'video' },
  { index: 1, kind: 'audio' },
] as const

describe('a correct file', () => {
  it.each([true, false])('is measured and complete (index first: %s)', async (faststart) => {
    const read = await index(await lesson(corpus, { faststart }))
    expect(read).toMatchObject({ problem: null, complete: true, streamable: faststart, fragmented: false })
    expect(judged(read.durations)).toBeCloseTo(4, 1)
    expect(read.video).toMatchObject({ codec: 'avc1', width: 320, height: 180, sampleCount: 100 })
    expect(read.audio).toHaveLength(1)
  })

  it('agrees with ffprobe about a phone held upright', async () => {
    const path = await phoneMov(corpus)
    expect((await index(path)).video).toMatchObject({ codec: 'hvc1', rotation: 90 })
    const { video } = await probe(context, await fileSource(path), 'mov')
    expect(video).toMatchObject({ rotation: 90, displayWidth: 180, displayHeight: 320 })
  })

  it('in fragments is added up, if the header has no duration', async () => {
    const read = await index(await fragmented(corpus))
    expect(read).toMatchObject({ problem: null, fragmented: true, streamable: true })
    expect(read.durations.headerSeconds).toBeNull()
    expect(judged(read.durations)).toBeCloseTo(4, 1)
  })
})

describe('a truncated file', () => {
  it('with the index in front looks complete to ffprobe, but not to us', async () => {
    const path = await truncated(corpus, await lesson(corpus), 0.6, 'cut-front.mp4')
    expect((await believed(path)).durationSeconds).toBeCloseTo(4, 1)
    const read = await index(path)
    expect(read).toMatchObject({ problem: 'CUT_OFF', complete: false })
    expect(read.video?.missingSamples).toBeGreaterThan(20)
  })

  it('has fewer packets and an error in the demux pass', async () => {
    const path = await truncated(corpus, await lesson(corpus), 0.6, 'cut-front.mp4')
    const measured = await demux(context, await fileSource(path), 'mp4', { streams: BOTH })
    expect(measured.seconds).toBeLessThan(3)
    expect(measured.complaints).toContain('truncated')
    const spots = await spotDecode(context, await fileSource(path), 'mp4', {
      startSeconds: 0,
      stream: 0,
      durationSeconds: 4.1,
    })
    expect(spots.find((spot) => spot.at === 'first')?.frames).toBeGreaterThan(0)
    // of two seconds a few frames are left
    expect(spots.find((spot) => spot.at === 'last')?.frames).toBeLessThan(20)
  })

  it('with the index at the end is the same defect', async () => {
    const path = await truncated(corpus, await lesson(corpus, { faststart: false }), 0.6, 'cut-end.mp4')
    await expect(believed(path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE', source: 'input' })
    expect(await index(path)).toMatchObject({ problem: 'NO_INDEX', complete: false })
  })

  it('by a single byte is incomplete', async () => {
    const source = await lesson(corpus)
    const { size } = await stat(source)
    const path = await truncated(corpus, source, (size - 1) / size, 'cut-byte.mp4')
    expect(await index(path)).toMatchObject({ complete: false })
  })

  it('in fragments is incomplete', async () => {
    const path = await truncated(corpus, await fragmented(corpus), 0.6, 'cut-fragments.mp4')
    expect(await index(path)).toMatchObject({ problem: 'CUT_OFF', complete: false, fragmented: true })
  })
})

describe('forged durations', () => {
  it('eighteen seconds with a header of three are measured as eighteen', async () => {
    const path = await forgedShort(corpus)
    expect((await believed(path)).durationSeconds).toBeCloseTo(3, 1)
    const obeyed = await demux(context, await fileSource(path), 'mp4', { streams: BOTH })
    expect(obeyed.seconds).toBeLessThan(4)
    const ignored = await demux(context, await fileSource(path), 'mp4', {
      streams: BOTH,
      ignoreEditList: true,
    })
    expect(ignored.seconds).toBeCloseTo(18, 1)
    const { durations } = await index(path)
    expect(durations.headerSeconds).toBeCloseTo(3, 1)
    expect(judged(durations)).toBeCloseTo(18, 1)
  })

  it('four seconds with a header of minutes are measured as four', async () => {
    const path = await forgedLong(corpus)
    expect((await believed(path)).durationSeconds).toBeCloseTo(400, 0)
    const { durations } = await index(path)
    expect(durations.headerSeconds).toBeCloseTo(400, 0)
    expect(judged(durations)).toBeCloseTo(4, 1)
  })

  it('of the movie header alone change nothing', async () => {
    const { durations } = await index(await forgedHeader(corpus, 9999))
    expect(durations.headerSeconds).toBe(9999)
    expect(judged(durations)).toBeCloseTo(4, 1)
  })

  it('are distinguished from a normal trim of the start', async () => {
    const { durations } = await index(await headTrimmed(corpus))
    expect(durations.samplesSeconds).toBeGreaterThan(durations.editedSeconds + 1)
    expect(judged(durations)).toBe(durations.editedSeconds)
  })
})

describe('an index that refers to another file', () => {
  it('is reported', async () => {
    expect(await index(await externalMedia(corpus))).toMatchObject({ external: true })
    expect(await index(await lesson(corpus))).toMatchObject({ external: false })
  })

  it('is not reported if no location is named', async () => {
    expect(await index(await unflaggedReference(corpus))).toMatchObject({ external: false, problem: null })
  })
})

describe('speed', () => {
  it('reads only the index of a large file, in a few reads', async () => {
    const path = await lesson(corpus, { seconds: 12 })
    const source = await fileSource(path)
    let readBytes = 0
    let reads = 0
    const counted = {
      ...source,
      readAt: async (position: number, length: number) => {
        reads++
        const bytes = await source.readAt(position, length)
        readBytes += bytes.length
        return bytes
      },
    }
    await readMp4Index(counted)
    expect(reads).toBeLessThanOrEqual(3)
    expect(readBytes).toBeLessThan((await readFile(path)).length / 2)
  })
})
