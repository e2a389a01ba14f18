// A transport stream that breaks off in the middle of a packet.

import { describe, expect, it } from 'vitest'
import { isPacketCutOff } from '../../../../workers/media/transport-stream.ts'

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
