// A transport stream that breaks off in the middle of a packet, or lacks packets.

import { describe, expect, it } from 'vitest'
import { hasLostPackets, isPacketCutOff } from '../../../../workers/media/transport-stream.ts'

const source = (bytes: Buffer) => ({
  bytes: bytes.length,
  readAt: async (at: number, length: number) => bytes.subarray(at, at + length),
  async *stream() {
    yield bytes
  },
})
const packets = (bytes: number, syncAt: number, count: number): Buffer => {
  const all = Buffer.alloc(bytes * count, 0xaa)
  for (let n = 0; n < count; n++) all[n * bytes + syncAt] = 0x47
  return all
}

describe.each([
  [188, 0],
  [192, 4],
  [204, 0],
])('of packets of %i bytes', (bytes, syncAt) => {
  const whole = packets(bytes, syncAt, 40)

  it.each([1, 3, 100, bytes - 1])('is cut off with %i bytes of the next one', async (rest) => {
    expect(await isPacketCutOff(source(whole.subarray(0, whole.length - bytes + rest)))).toBe(true)
  })

  it('is not with its last packet whole, nor in one that began in the middle of a packet', async () => {
    expect(await isPacketCutOff(source(whole))).toBe(false)
    expect(await isPacketCutOff(source(whole.subarray(77)))).toBe(false)
  })

  it('says nothing of an end that is something else', async () => {
    expect(await isPacketCutOff(source(Buffer.concat([whole, Buffer.alloc(5000)])))).toBe(false)
    expect(await isPacketCutOff(source(whole.subarray(0, 100)))).toBe(false)
  })
})

/** Packets of one stream that count on; each tenth begins a unit. */
function counted(bytes: number, syncAt: number, count: number): Buffer {
  const all = packets(bytes, syncAt, count)
  for (let n = 0; n < count; n++) {
    const startsUnit = n % 10 === 0 ? 0x40_00_00 : 0
    all.writeUInt32BE((0x47_01_00_10 | startsUnit | (n & 0xf)) >>> 0, n * bytes + syncAt)
  }
  return all
}

describe.each([
  [188, 0],
  [192, 4],
  [204, 0],
])('lost packets of %i bytes', (bytes, syncAt) => {
  const whole = counted(bytes, syncAt, 200)
  const without = (from: number, until: number) =>
    Buffer.concat([whole.subarray(0, from * bytes), whole.subarray(until * bytes)])

  it('are none in a whole one, nor in one that breaks off or begins in mid-packet', async () => {
    expect(await hasLostPackets(source(whole))).toBe(false)
    expect(await hasLostPackets(source(whole.subarray(0, whole.length - 50)))).toBe(false)
    expect(await hasLostPackets(source(whole.subarray(77)))).toBe(false)
    expect(await hasLostPackets(source(Buffer.alloc(10)))).toBe(false)
  })

  it('are not between two recordings that were joined, the first of them torn', async () => {
    const joined = Buffer.concat([whole.subarray(0, 93 * bytes + 60), whole])
    expect(await hasLostPackets(source(joined))).toBe(false)
  })

  it('are those that are not there', async () => {
    expect(await hasLostPackets(source(without(55, 104)))).toBe(true)
  })

  it('are zeros and noise', async () => {
    const zeros = Buffer.from(whole)
    zeros.fill(0, 50 * bytes + 20, 90 * bytes + 20)
    expect(await hasLostPackets(source(zeros))).toBe(true)
  })

  it('are not where the stream announces that it counts anew', async () => {
    const anew = without(55, 104)
    const at = 55 * bytes + syncAt
    anew.writeUInt8(anew.readUInt8(at + 3) | 0x20, at + 3)
    anew.writeUInt8(1, at + 4)
    anew.writeUInt8(0x80, at + 5)
    expect(await hasLostPackets(source(anew))).toBe(false)
  })
})
