import { describe, expect, it } from 'vitest'
import { type Durations, lengthsOf } from '../../../../src/media/mp4/durations.ts'
import { readMp4Index } from '../../../../src/media/mp4/index.ts'
import { judgedDurationSeconds } from '../../../../src/submissions/rules/duration.ts'
import { box, FTYP, full, largeBox, moov, type TrackSpec, track, u32 } from '../../../support/media/mp4-build.ts'
import { memorySource } from '../../../support/media/sources.ts'

const judged = (durations: Durations): number | undefined => judgedDurationSeconds(lengthsOf(durations))

/** A file of ftyp, moov, mdat whose one track has its chunks at the start of the media. */
function movie(spec: Partial<TrackSpec> & { media?: number; headerMs?: number } = {}): Buffer {
  const media = spec.media ?? 300
  const build = (mediaAt: number): Buffer =>
    Buffer.concat([
      FTYP,
      moov(
        spec.headerMs ?? 3000,
        track({
          times: [[3, 1000]],
          sizes: [100, 100, 100],
          chunks: [[1, 3]],
          ...spec,
          offsets: spec.offsets ?? [mediaAt],
        }),
      ),
      box('mdat', Buffer.alloc(media)),
    ])
  return build(build(0).length - media)
}

describe('readMp4Index', () => {
  it('reads a simple file: complete, streamable, measured by its samples', async () => {
    const index = await readMp4Index(memorySource(movie()))
    expect(index).toMatchObject({
      problem: null,
      complete: true,
      measurable: true,
      streamable: true,
      fragmented: false,
    })
    expect(index.durations).toMatchObject({
      headerSeconds: 3,
      samplesSeconds: 3,
    })
    expect(index.video).toMatchObject({ codec: 'avc1', sampleCount: 3, mediaBytes: 300 })
  })

  it('reports an index after the media as not streamable', async () => {
    const index = moov(3000, track({ times: [[1, 1000]], sizes: [8], offsets: [FTYP.length + 8] }))
    const file = Buffer.concat([FTYP, box('mdat', Buffer.alloc(8)), index])
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: null, streamable: false })
  })

  it('skips media data', async () => {
    const file = movie({ media: 5_000_000 })
    const source = memorySource(file)
    await readMp4Index(source)
    const bytesRead = source.reads.reduce((sum, { length }) => sum + Math.min(length, 65_536), 0)
    expect(source.reads.length).toBeLessThanOrEqual(3)
    expect(bytesRead).toBeLessThan(200_000)
  })

  it.each([
    ['in the media, index first', (file: Buffer) => file.subarray(0, file.length - 50), 'CUT_OFF'],
    ['within a box header', (file: Buffer) => file.subarray(0, file.length - 303), 'CUT_OFF'],
    ['in the index', (file: Buffer) => file.subarray(0, 200), 'NO_INDEX'],
    ['behind ftyp', (file: Buffer) => file.subarray(0, FTYP.length), 'NO_INDEX'],
  ])('reports a file truncated %s as incomplete', async (_where, cut, problem) => {
    expect(await readMp4Index(memorySource(cut(movie())))).toMatchObject({ problem, complete: false })
  })

  it('reports a file whose index at the end is missing as incomplete', async () => {
    const whole = Buffer.concat([FTYP, box('mdat', Buffer.alloc(1000))])
    expect(await readMp4Index(memorySource(whole))).toMatchObject({ problem: 'NO_INDEX', complete: false })
    const cut = whole.subarray(0, 500)
    expect(await readMp4Index(memorySource(cut))).toMatchObject({ problem: 'NO_INDEX', complete: false })
  })

  it('finds missing samples if the last box extends "to the end" and so hides a truncation', async () => {
    const file = movie()
    file.writeUInt32BE(0, file.length - 308)
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: null })
    const cut = await readMp4Index(memorySource(file.subarray(0, file.length - 150)))
    expect(cut).toMatchObject({ problem: 'SAMPLES_MISSING', complete: false })
    expect(cut.video).toMatchObject({ missingSamples: 2, missingSeconds: 2 })
  })

  it('follows 64-bit lengths and offsets', async () => {
    const media = largeBox('mdat', Buffer.alloc(300))
    const spec = { times: [[3, 1000]] as Array<[number, number]>, sizes: [100, 100, 100], wideOffsets: true }
    const build = (at: number): Buffer =>
      moov(3000, track({ ...spec, chunks: [[1, 1]], offsets: [at, at + 100, at + 200] }))
    const file = Buffer.concat([FTYP, build(FTYP.length + build(0).length + 16), media])
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: null, streamable: true })
  })

  it('treats bytes that cameras append after the last box as a trailer', async () => {
    const trailer = Buffer.concat([u32(0x7fff_ffff), Buffer.from('SEFH'), Buffer.alloc(40, 1)])
    const index = await readMp4Index(memorySource(Buffer.concat([movie(), trailer])))
    expect(index).toMatchObject({ problem: null, trailingBytes: trailer.length })
  })

  it('detects a forged edit list and header by the samples', async () => {
    const times: Array<[number, number]> = [[3, 10_000]]
    const index = await readMp4Index(
      memorySource(movie({ times, headerMs: 500, edits: [[500, 0]], headerDuration: 500 })),
    )
    expect(index.durations).toMatchObject({ headerSeconds: 0.5, editedSeconds: 0.5, samplesSeconds: 30 })
    expect(judged(index.durations)).toBe(30)
  })

  it('does not trust an edit list longer than the media', async () => {
    const index = await readMp4Index(memorySource(movie({ headerMs: 3_600_000, edits: [[3_600_000, 0]] })))
    expect(index.durations).toMatchObject({
      headerSeconds: 3600,
      editedSeconds: 3,
    })
    expect(judged(index.durations)).toBe(3)
  })

  it('accepts a normal trim of one group of pictures', async () => {
    const times: Array<[number, number]> = [[3, 4000]]
    const index = await readMp4Index(memorySource(movie({ times, edits: [[9000, 3000]] })))
    expect(index.durations).toMatchObject({ samplesSeconds: 12, editedSeconds: 9 })
    expect(judged(index.durations)).toBe(9)
  })

  it('does not let an edit list hide an hour', async () => {
    const times: Array<[number, number]> = [[3, 1_200_000]]
    const index = await readMp4Index(memorySource(movie({ times, edits: [[600_000, 3_000_000]] })))
    expect(judged(index.durations)).toBe(3600)
  })

  it('does not count an empty edit, which delays the start', async () => {
    const index = await readMp4Index(
      memorySource(
        movie({
          edits: [
            [2000, -1],
            [3000, 0],
          ],
        }),
      ),
    )
    expect(index.durations.editedSeconds).toBe(3)
    expect(judged(index.durations)).toBe(3)
  })

  it('uses presentation times for reordered pictures', async () => {
    // Decoded at 0, 1, 2 s and shown at 2, 4, 3 s: an edit list from second 2 on plays all three seconds.
    const shown: Array<[number, number]> = [
      [1, 2000],
      [1, 3000],
      [1, 1000],
    ]
    const index = await readMp4Index(memorySource(movie({ shown, edits: [[3000, 2000]] })))
    expect(index.durations).toMatchObject({ editedSeconds: 3, samplesSeconds: 3 })
    expect(index.tracks[0]?.played).toEqual({ startSeconds: 0, endSeconds: 3, playedSeconds: 3 })
  })

  it('reads negative composition offsets', async () => {
    const shown: Array<[number, number]> = [
      [1, 0],
      [1, 1000],
      [1, -1000],
    ]
    expect((await readMp4Index(memorySource(movie({ shown })))).durations.samplesSeconds).toBe(3)
  })

  it.each([
    ['picture and sound, the sound late by six seconds', 6000, 9, 9],
    ['the sound late by forty seconds', 40_000, 43, 43],
  ])('plays from the first start to the last end: %s', async (_name, delay, edited, expected) => {
    const late = {
      edits: [
        [delay, -1],
        [3000, 0],
      ],
    } as Partial<TrackSpec>
    const sound = track({
      id: 2,
      handler: 'soun',
      times: [[3, 1000]],
      sizes: [1, 1, 1],
      chunks: [[1, 3]],
      offsets: [40],
      ...late,
    })
    const picture = track({ times: [[3, 1000]], sizes: [1, 1, 1], chunks: [[1, 3]], offsets: [40] })
    const file = Buffer.concat([FTYP, moov(3000, picture, sound), box('mdat', Buffer.alloc(50))])
    const { durations } = await readMp4Index(memorySource(file))
    expect(durations.editedSeconds).toBe(edited)
    expect(judged(durations)).toBe(expected)
  })

  it('uses the longest of the video and audio tracks only', async () => {
    const sound = track({ id: 2, handler: 'soun', times: [[1, 5000]], sizes: [4], offsets: [40] })
    const words = track({ id: 3, handler: 'text', times: [[1, 90_000]], sizes: [4], offsets: [40] })
    const picture = track({ times: [[3, 1000]], sizes: [1, 1, 1], chunks: [[1, 3]], offsets: [40] })
    const file = Buffer.concat([FTYP, moov(3000, picture, sound, words), box('mdat', Buffer.alloc(50))])
    const index = await readMp4Index(memorySource(file))
    expect(judged(index.durations)).toBe(5)
    expect(index.tracks).toHaveLength(3)
  })

  it('reports an inconsistent index as unreadable, and does not throw', async () => {
    for (const damage of ['mdhd', 'hdlr', 'stts', 'stsc']) {
      const file = movie()
      file.write('junk', file.indexOf(damage), 'latin1')
      const index = await readMp4Index(memorySource(file))
      expect(index, damage).toMatchObject({ problem: 'INDEX_UNREADABLE', measurable: false })
      expect(index.detail).not.toBeNull()
    }
  })

  it('reports two tables with different numbers of samples', async () => {
    const index = await readMp4Index(memorySource(movie({ times: [[1, 1000]] })))
    expect(index.inconsistent).toBe(true)
    // the rest of the samples last as long as the last one that has a time
    expect(index.durations.samplesSeconds).toBe(3)
  })

  it('does not trust the counts of a small hostile file', async () => {
    const claims = movie({
      times: [[0xffff_ffff, 0xffff_ffff]],
      sizes: { count: 0xffff_ffff, each: 1 },
      chunks: [[1, 0xffff_ffff]],
    })
    expect(await readMp4Index(memorySource(claims))).toMatchObject({
      problem: 'SAMPLES_MISSING',
      complete: false,
    })
    const runs = movie({
      times: Array.from({ length: 50_000 }, () => [1, 1]),
      sizes: { count: 100_000, each: 1 },
      offsets: Array.from({ length: 50_000 }, () => 0xffff_fff0),
    })
    expect(await readMp4Index(memorySource(runs))).toMatchObject({ problem: 'SAMPLES_MISSING' })
  })

  it('refuses a table that declares more entries than its box has', async () => {
    const file = movie()
    file.writeUInt32BE(0x0fff_ffff, file.indexOf('stts') + 8)
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: 'INDEX_UNREADABLE' })
  })

  it('does not read a movie box above its size limit', async () => {
    const source = memorySource(movie())
    const index = await readMp4Index(source, { maxMovieBytes: 100 })
    expect(index).toMatchObject({ problem: 'INDEX_UNREADABLE', complete: true, measurable: false })
  })

  it('stops after too many boxes', async () => {
    const many = Buffer.concat([FTYP, ...Array.from({ length: 200 }, () => box('free'))])
    expect(await readMp4Index(memorySource(many), { maxBoxes: 100 })).toMatchObject({
      problem: 'INDEX_UNREADABLE',
    })
  })

  it('reads a hundred thousand boxes before the index in linear time', async () => {
    const empty = Buffer.concat(Array.from({ length: 99_000 }, () => box('free')))
    const startedMs = performance.now()
    const source = memorySource(Buffer.concat([FTYP, empty, movie()]))
    const index = await readMp4Index(source, { maxBoxes: 100_000 })
    // Looking back takes half a minute; the walk itself a fraction of a second.
    expect(performance.now() - startedMs).toBeLessThan(15_000)
    expect(index).toMatchObject({ tracks: [{ sampleCount: 3 }] })
  })

  it('reports a movie without samples', async () => {
    const file = Buffer.concat([FTYP, moov(3000), box('mdat', Buffer.alloc(8))])
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: 'NO_SAMPLES', measurable: false })
  })

  it('does not unpack a compressed index', async () => {
    const file = Buffer.concat([FTYP, box('moov', box('cmov', Buffer.alloc(20))), box('mdat')])
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: 'INDEX_UNREADABLE' })
  })

  it('passes on errors of the store', async () => {
    const source = memorySource(movie())
    source.readAt = () => Promise.reject(new Error('the store is away'))
    await expect(readMp4Index(source)).rejects.toThrow('the store is away')
  })
})

describe('readMp4Index of fragments', () => {
  const mvex = box('mvex', full('trex', 0, 0, u32(1, 1, 40, 10, 0)))
  const empty = track({ times: [], sizes: [], offsets: [] })
  const fragment = (tfhdFlags: number, tfhd: number[], trunFlags: number, trun: number[]): Buffer =>
    box('moof', box('traf', full('tfhd', 0, tfhdFlags, u32(1, ...tfhd)), full('trun', 0, trunFlags, u32(...trun))))

  it('adds up sample times, with defaults of track and fragment', async () => {
    const file = Buffer.concat([
      FTYP,
      moov(0, empty, mvex),
      fragment(0, [], 0, [5]), // 5 × 40
      fragment(0x8, [100], 0, [2]), // 2 × 100
      fragment(0, [], 0x300, [2, 30, 10, 70, 10]), // 30 + 70
      box('mdat', Buffer.alloc(200)),
    ])
    const index = await readMp4Index(memorySource(file))
    expect(index).toMatchObject({ problem: null, fragmented: true })
    expect(index.durations).toMatchObject({ headerSeconds: null, samplesSeconds: 0.5 })
    expect(index.video?.sampleCount).toBe(9)
  })

  it('counts the time between fragments, and none before the first', async () => {
    const at = (ms: number, samples: number): Buffer =>
      box(
        'moof',
        box('traf', full('tfhd', 0, 0, u32(1)), full('tfdt', 0, 0, u32(ms)), full('trun', 0, 0, u32(samples))),
      )
    const media = box('mdat', Buffer.alloc(200))
    const file = Buffer.concat([FTYP, moov(0, empty, mvex), at(60_000, 5), at(63_000, 5), media])
    const { durations, video } = await readMp4Index(memorySource(file))
    expect(durations.samplesSeconds).toBeCloseTo(3.2)
    expect(judged(durations)).toBeCloseTo(3.2)
    expect(video?.shown).toEqual({ from: 60, until: 63.2 })
  })

  it('does not loop over billions of samples that one fragment can declare', async () => {
    const file = Buffer.concat([FTYP, moov(0, empty, mvex), fragment(0, [], 0, [0xffff_ffff]), box('mdat')])
    expect(await readMp4Index(memorySource(file))).toMatchObject({
      problem: 'SAMPLES_MISSING',
      complete: false,
    })
  })

  it('refuses a run that declares more samples than it lists', async () => {
    const file = Buffer.concat([FTYP, moov(0, empty, mvex), fragment(0, [], 0x100, [1000, 1]), box('mdat')])
    expect(await readMp4Index(memorySource(file))).toMatchObject({ problem: 'INDEX_UNREADABLE' })
  })

  it('detects a truncated last fragment', async () => {
    const media = box('mdat', Buffer.alloc(50))
    const file = Buffer.concat([FTYP, moov(0, empty, mvex), fragment(0, [], 0, [5]), media])
    const cut = file.subarray(0, file.length - 10)
    expect(await readMp4Index(memorySource(cut))).toMatchObject({ problem: 'CUT_OFF', complete: false })
  })
})
