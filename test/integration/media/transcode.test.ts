// Renditions by the real ffmpeg: what comes out is looked at again, and what must not be published is refused.

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Container } from '../../../src/core/identify.ts'
import { readMp4Index } from '../../../src/media/mp4/index.ts'
import { planVideo, type VideoPlan, type VideoRendition } from '../../../workers/media/plan.ts'
import { makePoster } from '../../../workers/media/poster.ts'
import { type ProbeResult, probe, type ToolContext } from '../../../workers/media/probe.ts'
import type { EncodingProgress } from '../../../workers/media/progress.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type TranscodeJob, type TranscodeResult, transcode } from '../../../workers/media/transcode.ts'
import { PATIENCE_MS } from '../../support/http.ts'
import { type Corpus, createCorpus, ffmpeg } from '../../support/media/corpus.ts'
import { forgedShort, truncated } from '../../support/media/hostile.ts'
import { lateStart } from '../../support/media/rare-videos.ts'
import {
  fragmented,
  hdrMov,
  headTrimmed,
  lesson,
  phoneMov,
  streamed,
  transportStream,
  variableRate,
} from '../../support/media/videos.ts'

const RENDITION: VideoRendition = {
  name: '720p',
  maxShortSidePx: 720,
  maxFramesPerSecond: 30,
  crf: 30,
  preset: 'ultrafast',
  maxVideoBitsPerSecond: 3_000_000,
  audioBitsPerSecond: 96_000,
  allowCopy: true,
}

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

type Made = { result: TranscodeResult; plan: VideoPlan; seen: ProbeResult; bytes: Buffer }

async function planOf(path: string, container: Container, rendition: Partial<VideoRendition>): Promise<VideoPlan> {
  const plan = planVideo(await probe(context, await fileSource(path), container), {
    ...RENDITION,
    ...rendition,
  })
  if (plan === null) throw new Error('nothing to plan')
  return plan
}

/** Plans and makes a rendition, and probes it. */
async function made(
  path: string,
  container: Container,
  durationSeconds: number,
  rendition: Partial<VideoRendition> = {},
  job: Partial<TranscodeJob> = {},
): Promise<Made> {
  const plan = await planOf(path, container, rendition)
  const outputPath = join(corpus.dir, `out-${Math.random().toString(36).slice(2)}.mp4`)
  const result = await transcode(context, await fileSource(path), {
    plan,
    container,
    outputPath,
    durationSeconds,
    threads: 1,
    ...job,
  })
  const seen = await probe(context, await fileSource(outputPath), 'mp4')
  return { result, plan, seen, bytes: await readFile(outputPath) }
}

const PLACE = '+18.5745'

describe('a remux', () => {
  it.each([
    ['an MP4 with its index at the end', (c: Corpus) => lesson(c, { faststart: false }), 'mp4', 4],
    ['a Matroska recording', (c: Corpus) => streamed(c, 'matroska'), 'matroska', 3],
    ['fragments', fragmented, 'mp4', 4],
    ['an honest trim', headTrimmed, 'mp4', 4.6],
  ] as const)('is used for %s', async (_name, maker, container, seconds) => {
    const { plan, result, seen } = await made(await maker(corpus), container, seconds)
    expect(plan.mode).toBe('remux')
    expect(result).toMatchObject({
      mode: 'remux',
      videoCodec: 'h264',
      audioCodec: 'aac',
      width: 320,
      height: 180,
    })
    expect(seen.video?.durationSeconds).toBeCloseTo(seconds, 0)
    expect(await readMp4Index(await fileSource(result.path))).toMatchObject({
      streamable: true,
      complete: true,
    })
  })

  it('removes the GPS position of the original', async () => {
    const path = await lesson(corpus)
    expect((await readFile(path)).includes(PLACE)).toBe(true)
    const { bytes } = await made(path, 'mp4', 4)
    expect(bytes.includes(PLACE)).toBe(false)
  })

  it('works without sound', async () => {
    const { result } = await made(await lesson(corpus, { audio: 'none' }), 'mp4', 4)
    expect(result).toMatchObject({ mode: 'remux', audioCodec: null })
  })

  it('drops subtitles, data and chapters', async () => {
    const path = await corpus.file('extras.mkv', async (target) => {
      const words = join(corpus.dir, 'words.srt')
      await writeFile(words, '1\n00:00:00,000 --> 00:00:01,000\nwords\n')
      const chapters = join(corpus.dir, 'chapters.txt')
      await writeFile(
        chapters,
        ';FFMETADATA1\ntitle=secret title\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=one\n',
      )
      const lessonPath = await lesson(corpus)
      await ffmpeg(
        '-i',
        lessonPath,
        '-i',
        words,
        '-i',
        chapters,
        '-map',
        '0',
        '-map',
        '1',
        '-map_metadata',
        '2',
        '-c',
        'copy',
        target,
      )
    })
    const { seen, bytes } = await made(path, 'matroska', 4)
    expect(seen).toMatchObject({ otherStreams: 0 })
    expect(seen.videos).toHaveLength(1)
    expect(bytes.includes('secret title')).toBe(false)
  })
})

describe('an encode', () => {
  it("rotates a phone's picture, and removes the GPS position", async () => {
    const path = await phoneMov(corpus)
    expect((await readFile(path)).includes(PLACE)).toBe(true)
    const { result, seen, bytes } = await made(path, 'mov', 3)
    expect(result).toMatchObject({ mode: 'encode', width: 180, height: 320, videoCodec: 'h264' })
    expect(seen.video).toMatchObject({ rotation: 0, width: 180, height: 320, pixelFormat: 'yuv420p' })
    expect(bytes.includes(PLACE)).toBe(false)
  })

  it('converts high dynamic range and six channels to what every browser plays', async () => {
    const { seen, plan } = await made(await hdrMov(corpus), 'mov', 2)
    expect(plan.reasons).toEqual(expect.arrayContaining(['high dynamic range', '6 channels']))
    expect(seen.video).toMatchObject({ codec: 'h264', bitDepth: 8, hdr: false, colorTransfer: 'bt709' })
    expect(seen.audio).toMatchObject({ codec: 'aac', channels: 2 })
  })

  it('makes a variable frame rate constant', async () => {
    const { seen } = await made(await variableRate(corpus), 'mp4', 2.93, { allowCopy: false })
    expect(seen.video?.framesPerSecond).toBeCloseTo(30, 1)
    expect(seen.video?.nominalFramesPerSecond).toBeCloseTo(30, 1)
  })

  it('never enlarges, and scales down large pictures', async () => {
    const same = await made(await lesson(corpus), 'mp4', 4, { allowCopy: false })
    expect(same.result).toMatchObject({ width: 320, height: 180 })
    const smaller = await made(await lesson(corpus), 'mp4', 4, { maxShortSidePx: 90 })
    expect(smaller.result).toMatchObject({ mode: 'encode', width: 160, height: 90 })
  })

  it.each([
    ['WebM', (c: Corpus) => streamed(c, 'webm'), 'webm'],
    ['a transport stream', transportStream, 'mpegts'],
  ] as const)('takes %s', async (_name, maker, container) => {
    const { result } = await made(await maker(corpus), container, 3)
    expect(result).toMatchObject({ videoCodec: 'h264', audioCodec: 'aac' })
  })

  it('reports progress by the measured duration', async () => {
    const seen: EncodingProgress[] = []
    await made(await lesson(corpus), 'mp4', 4, { allowCopy: false }, { onProgress: (p) => seen.push(p) })
    expect(seen.at(-1)?.percent).toBeGreaterThan(95)
    expect(seen.at(-1)?.percent).toBeLessThan(100)
  })

  it('shows the complete file if its edit list hides most of it', async () => {
    const path = await forgedShort(corpus)
    const { result } = await made(path, 'mp4', 18, { maxShortSidePx: 90 }, { ignoreEditList: true })
    expect(result.durationSeconds).toBeCloseTo(18, 0)
  })
})

describe('an invalid output', () => {
  it('is a rendition of a truncated file, although ffmpeg exits with 0', async () => {
    const path = await truncated(corpus, await lesson(corpus), 0.5, 'half.mp4')
    for (const allowCopy of [true, false]) {
      const run = made(path, 'mp4', 4, { allowCopy })
      await expect(run).rejects.toMatchObject({ code: 'OUTPUT_INVALID' })
    }
  })

  it('is a rendition that was ended early', async () => {
    const abort = new AbortController()
    const path = await lesson(corpus, { seconds: 12, size: '640x360' })
    const plan = await planOf(path, 'mp4', { allowCopy: false, preset: 'medium' })
    const outputPath = join(corpus.dir, 'ended.mp4')
    const run = transcode({ ...context, signal: abort.signal }, await fileSource(path), {
      plan,
      container: 'mp4',
      outputPath,
      durationSeconds: 12,
      threads: 1,
      onProgress: ({ percent }) => {
        if (percent > 5) abort.abort()
      },
    })
    await expect(run).rejects.toMatchObject({ code: 'TOOL_ABORTED', source: 'system' })
    // The trap: what lies there plays, and is too short.
    expect((await stat(outputPath)).size).toBeGreaterThan(0)
  })

  it('is a rendition larger than allowed', async () => {
    const run = made(await lesson(corpus), 'mp4', 4, { allowCopy: false }, { maxOutputBytes: 20_000 })
    await expect(run).rejects.toMatchObject({ code: 'TOOL_OUTPUT_LIMIT' })
  })
})

describe('makePoster', () => {
  const poster = async (path: string, container: Container, durationSeconds: number, maxShortSidePx?: number) => {
    const source = await fileSource(path)
    const { video } = await probe(context, source, container)
    if (video === null) throw new Error('no video')
    const outputPath = join(corpus.dir, `poster-of-${container}-${durationSeconds}.jpg`)
    const made = await makePoster(context, source, {
      video,
      container,
      startSeconds: 0,
      durationSeconds,
      outputPath,
      ...(maxShortSidePx !== undefined && { maxShortSidePx }),
    })
    return { made, picture: await probeJpeg(outputPath), bytes: await readFile(outputPath) }
  }
  const probeJpeg = async (path: string): Promise<string> => {
    const { stdout } = await context.runner.run({
      tool: 'ffprobe',
      args: ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', path],
      limits: { wallMs: PATIENCE_MS, cpuSeconds: 5, memoryBytes: 2 ** 31, outputBytes: 1e4, fileBytes: 1e4 },
      cwd: corpus.dir,
      reads: [path],
    })
    return stdout.toString().trim()
  }

  it('is upright, has the right size, and no GPS position', async () => {
    const { made, picture, bytes } = await poster(await phoneMov(corpus), 'mov', 3)
    expect(picture).toBe('180,320')
    expect(made).toMatchObject({ width: 180, height: 320, bytes: bytes.length })
    expect(bytes.includes(PLACE)).toBe(false)
  })

  it('is made smaller when asked, of HDR and of streams without an index', async () => {
    expect((await poster(await lesson(corpus), 'mp4', 4, 90)).picture).toBe('160,90')
    expect((await poster(await hdrMov(corpus), 'mov', 2)).picture).toBe('320,180')
    expect((await poster(await transportStream(corpus), 'mpegts', 3)).picture).toBe('320,180')
  })

  it('is the start of a stream with a single keyframe, if no other position gives a picture', async () => {
    const path = await lateStart(corpus)
    expect(await poster(path, 'mpegts', 3)).toMatchObject({ picture: '320,180', made: { atSeconds: 0 } })
  })

  it('is not taken from the black start', async () => {
    const path = await corpus.file('black-start.mp4', (target) =>
      ffmpeg(
        ['-f', 'lavfi', '-i', 'color=black:s=320x180:r=25:d=5', '-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=5'],
        ['-filter_complex', 'concat=n=2:v=1', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', target],
      ),
    )
    const { made } = await poster(path, 'mp4', 10)
    expect(made.atSeconds).toBeGreaterThanOrEqual(3)
    const black = await poster(await lesson(corpus, { picture: 'black' }), 'mp4', 4)
    expect(made.bytes).toBeGreaterThan(black.made.bytes * 2)
  })
})
