// Probing and demuxing what teachers send, from a file and from behind a URL.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Container, IDENTIFY_BYTES, identify } from '../../../src/core/identify.ts'
import { demux } from '../../../workers/media/demux.ts'
import { probe, type ToolContext } from '../../../workers/media/probe.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { spotDecode } from '../../../workers/media/spot-decode.ts'
import { PATIENCE_MS } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { wiped } from '../../support/media/damage.ts'
import { forgedMatroska, forgedTags } from '../../support/media/hostile.ts'
import { heldPicture, midAir } from '../../support/media/odd-streams.ts'
import {
  avi,
  coverPicture,
  hdrMov,
  lesson,
  streamed,
  transportStream,
  variableRate,
} from '../../support/media/videos.ts'

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

async function identified(path: string): Promise<Exclude<ReturnType<typeof identify>, { kind: 'undecided' }>> {
  const identity = identify(await (await fileSource(path)).readAt(0, IDENTIFY_BYTES))
  if (identity.kind === 'undecided') throw new Error('undecided')
  return identity
}

describe('probe', () => {
  it.each([
    ['an MP4', lesson, 'mp4', 'h264', 'aac'],
    ['a Matroska recording', (c: Corpus) => streamed(c, 'matroska'), 'matroska', 'h264', 'aac'],
    ['a WebM recording', (c: Corpus) => streamed(c, 'webm'), 'webm', 'vp8', 'opus'],
    ['a camcorder', transportStream, 'mpegts', 'mpeg2video', 'ac3'],
    ['an AVI', avi, 'avi', 'mpeg4', 'mp3'],
  ] as const)('reads %s, recognized by its bytes', async (_name, maker, container, video, audio) => {
    const path = await maker(corpus)
    expect(await identified(path)).toMatchObject({ kind: 'video', container })
    const result = await probe(context, await fileSource(path), container)
    expect(result.video).toMatchObject({ codec: video, displayWidth: 320, displayHeight: 180 })
    expect(result.audio).toMatchObject({ codec: audio, channels: 1 })
  })

  it('sees high dynamic range and six channels', async () => {
    const result = await probe(context, await fileSource(await hdrMov(corpus)), 'mov')
    expect(result.video).toMatchObject({ hdr: true, bitDepth: 10, codec: 'hevc' })
    expect(result.audio).toMatchObject({ channels: 6 })
  })

  it('detects a variable frame rate', async () => {
    const { video } = await probe(context, await fileSource(await variableRate(corpus)), 'mp4')
    expect(video?.nominalFramesPerSecond).toBeGreaterThan((video?.framesPerSecond ?? 0) * 1.5)
  })

  it('does not treat a cover picture as video', async () => {
    const result = await probe(context, await fileSource(await coverPicture(corpus)), 'mp4')
    expect(result).toMatchObject({ video: null, otherStreams: 1 })
    expect(result.audio).not.toBeNull()
  })

  it('is not affected by tags that forge the text output', async () => {
    const path = await forgedTags(corpus)
    // The trap: in the text writer the title's second line is a duration of its own, and a stream appears.
    const text = await context.runner.run({
      tool: 'ffprobe',
      args: ['-v', 'error', '-show_format', '-show_streams', path],
      limits: { wallMs: PATIENCE_MS, cpuSeconds: 5, memoryBytes: 2 ** 31, outputBytes: 1e6, fileBytes: 1e6 },
      cwd: corpus.dir,
      reads: [path],
    })
    expect(text.stdout.toString()).toMatch(/^duration=7200$/m)
    const result = await probe(context, await fileSource(path), 'matroska')
    expect(result.durationSeconds).toBeCloseTo(1, 1)
    expect(result).toMatchObject({ audio: null, audios: [] })
  })
})

describe('demux', () => {
  it('measures files without any duration', async () => {
    const source = await fileSource(await streamed(corpus, 'matroska'))
    expect((await probe(context, source, 'matroska')).durationSeconds).toBeNull()
    const measured = await demux(context, source, 'matroska', {
      streams: [
        { index: 0, kind: 'video' },
        { index: 1, kind: 'audio' },
      ],
    })
    expect(measured.seconds).toBeCloseTo(3, 1)
    expect(measured.streams[0]).toMatchObject({ kind: 'video', packets: 75 })
    expect(measured.complaints).toEqual([])
  })

  it('ignores ten hours in the header', async () => {
    const source = await fileSource(await forgedMatroska(corpus))
    expect((await probe(context, source, 'matroska')).durationSeconds).toBe(36_000)
    const measured = await demux(context, source, 'matroska', { streams: [{ index: 0, kind: 'video' }] })
    expect(measured.seconds).toBeCloseTo(4, 1)
  })

  it('reports progress', async () => {
    const seen: Array<number | null> = []
    await demux(context, await fileSource(await lesson(corpus)), 'mp4', {
      streams: [{ index: 0, kind: 'video' }],
      onProgress: (block) => seen.push(block.outSeconds),
    })
    expect(seen.at(-1)).toBeCloseTo(4, 1)
  })
})

describe('spotDecode', () => {
  it('decodes start, middle and end', async () => {
    const path = await lesson(corpus, { seconds: 6 })
    const spots = await spotDecode(context, await fileSource(path), 'mp4', {
      startSeconds: 0,
      stream: 0,
      durationSeconds: 6,
    })
    expect(spots.map((spot) => spot.at)).toEqual(['first', 'middle', 'last'])
    for (const spot of spots) expect(spot.frames).toBeGreaterThan(40)
  })

  it('gives no frame for a stream that cannot be decoded, and does not throw', async () => {
    const path = await lesson(corpus)
    const spots = await spotDecode(context, await fileSource(path), 'avi', {
      startSeconds: 0,
      stream: 0,
      durationSeconds: 4,
    })
    expect(spots).toMatchObject([{ at: 'first', frames: 0 }])
  })
})

describe('a position without a frame of its own', () => {
  const frames = async (path: string, container: Container, durationSeconds: number) => {
    const spots = await spotDecode(context, await fileSource(path), container, {
      startSeconds: 0,
      stream: 0,
      durationSeconds,
    })
    return Object.fromEntries(spots.map((spot) => [spot.at, spot.frames > 0]))
  }

  it('uses the frame before it, as in a screen recording whose last frame stays', async () => {
    expect(await frames(await heldPicture(corpus), 'mp4', 12)).toEqual({
      first: true,
      middle: true,
      last: true,
    })
  })

  it('uses the first keyframe of a stream that starts between keyframes', async () => {
    expect(await frames(await midAir(corpus), 'mpegts', 8.4)).toMatchObject({ first: true })
  })

  it('has no frame if the media are missing there', async () => {
    const whole = await lesson(corpus, { seconds: 10, framesPerSecond: 10, gop: 10 })
    const middle = await wiped(corpus, whole, 'wiped-middle.mp4', 0.35, 0.65)
    expect(await frames(middle, 'mp4', 10)).toEqual({ first: true, middle: false, last: true })
    const end = await wiped(corpus, whole, 'wiped-end.mp4', 0.5)
    expect(await frames(end, 'mp4', 10)).toMatchObject({ first: true, last: false })
  })
})
