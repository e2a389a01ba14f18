// What a surge draws before it begins: arrivals, sizes, cuts, and the bytes of its files.

import { describe, expect, it } from 'vitest'
import type { Source } from '../../../../tools/lib/source.ts'
import { parseSurgeArgs } from '../../../../tools/surge/args.ts'
import { paddedClip, sha256Of } from '../../../../tools/surge/payload.ts'
import { arrivalTimesMs, planRun } from '../../../../tools/surge/plan.ts'
import { randomFrom } from '../../../../tools/surge/random.ts'

const MIB = 1024 * 1024

describe('arguments', () => {
  it('have defaults', () => {
    expect(parseSurgeArgs([])).toMatchObject({
      clients: 200,
      minutes: 1,
      seed: 1,
      bytesPerSecond: undefined,
      maxFileBytes: 40 * MIB,
      settleMs: 300_000,
    })
  })
  it('know Mbit/s from bytes', () => {
    expect(parseSurgeArgs(['--mbit', '8']).bytesPerSecond).toBe(1_000_000)
  })
  it.each([
    [['--clients', '100000'], '--clients'],
    [['--minutes', '600'], '--minutes'],
    [['--mbit', '0'], '--mbit'],
    [['--settle-minutes', '1e9'], '--settle-minutes'],
    [['everything'], 'everything'],
  ])('stay bounded: %j', (args, words) => {
    expect(() => parseSurgeArgs(args)).toThrow(words)
  })
})

describe('arrivals', () => {
  it('come closer and closer, as 1/(T − t + 1 min): of an hour, 17 % in the last minute, 44 % in the last five', () => {
    const times = arrivalTimesMs(20_000, 60, randomFrom(3))
    const share = (lastMinutes: number) =>
      times.filter((time) => time >= (60 - lastMinutes) * 60_000).length / times.length
    expect(share(1)).toBeCloseTo(0.169, 2)
    expect(share(5)).toBeCloseTo(0.436, 2)
    expect(share(60)).toBe(1)
    expect(times.every((time) => time >= 0 && time < 3_600_000)).toBe(true)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
  })
})

describe('planRun', () => {
  const options = { clients: 200, minutes: 1, seed: 1, maxFileBytes: 40 * MIB }
  const plan = planRun(options)

  it('is the same for the same seed, another for another', () => {
    expect(planRun(options)).toEqual(plan)
    expect(planRun({ ...options, seed: 2 })).not.toEqual(plan)
  })
  it('has files from 1 to 40 MiB, at least 8 in the middle', () => {
    const sizes = plan.map(({ fileBytes }) => fileBytes).sort((a, b) => a - b)
    expect(sizes[100]).toBeGreaterThan(8 * MIB)
    expect(sizes[0]).toBeGreaterThanOrEqual(MIB)
    expect(sizes[199]).toBeLessThanOrEqual(40 * MIB)
    expect(new Set(sizes).size).toBeGreaterThan(100)
  })
  it('cuts a quarter of the lines, in mid-file', () => {
    const cut = plan.filter(({ cutAtByte }) => cutAtByte !== undefined)
    expect(cut).toHaveLength(50)
    for (const { cutAtByte = 0, fileBytes } of cut) {
      expect(cutAtByte).toBeGreaterThanOrEqual(MIB / 2)
      expect(cutAtByte).toBeLessThan(fileBytes * 0.8 + 1)
    }
  })
  it('has a sound median with a single client', () => {
    expect(planRun({ ...options, clients: 1 })[0]?.fileBytes).toBeGreaterThan(8 * MIB)
  })
})

describe('paddedClip', () => {
  const clip = Buffer.from('a clip that is real enough for this')

  async function bytesOf(source: Source, start = 0, end = source.bytes): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of source.chunks(start, end)) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  it('is the clip, then one box of the type that players skip', async () => {
    const bytes = await bytesOf(paddedClip(clip, 300_000, 1))
    expect(bytes).toHaveLength(300_000)
    expect(bytes.subarray(0, clip.length)).toEqual(clip)
    expect(bytes.readUInt32BE(clip.length)).toBe(300_000 - clip.length)
    expect(bytes.toString('latin1', clip.length + 4, clip.length + 8)).toBe('free')
  })
  it('gives the same bytes from any offset', async () => {
    const source = paddedClip(clip, 300_000, 1)
    const whole = await bytesOf(source)
    for (const start of [0, 1, clip.length - 1, clip.length, clip.length + 8, clip.length + 9, 70_001, 299_999])
      expect((await bytesOf(source, start)).equals(whole.subarray(start)), `from ${start}`).toBe(true)
    expect((await bytesOf(source, 20, 60)).equals(whole.subarray(20, 60))).toBe(true)
  })
  it('is another file for every client', async () => {
    const hashes = [1, 2, 3, 2 ** 16 + 1].map((seed) => sha256Of(paddedClip(clip, 100_000, seed)))
    expect(new Set(await Promise.all(hashes)).size).toBe(4)
  })
  it('refuses a size below the clip', () => {
    expect(() => paddedClip(clip, clip.length + 7, 1)).toThrow(RangeError)
  })
})
