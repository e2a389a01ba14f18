import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isUploadId, newUploadId } from '../../../src/core/ids.ts'

const OLD = 'the secret of last year, long enough'
const NEW = 'the secret of this year, long enough'

describe('an upload id', () => {
  it('is known by any of the secrets, and by no other', () => {
    const id = newUploadId('portal', 'S-1', [OLD])
    expect(isUploadId(id, [OLD])).toBe(true)
    expect(isUploadId(id, [NEW, OLD])).toBe(true)
    expect(isUploadId(id, [NEW])).toBe(false)
  })

  it('of a version before keys were derived is known as long as its record', () => {
    const id = newUploadId('portal', 'S-1', [OLD], false)
    expect(isUploadId(id, [NEW, OLD])).toBe(true)
    expect(isUploadId(id, [NEW])).toBe(false)
    const bits = [...id].map((char) => 'abcdefghijklmnopqrstuvwxyz234567'.indexOf(char).toString(2).padStart(5, '0'))
    const bytes = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
    const mac = createHmac('sha256', `upload-id:${OLD}`).update(bytes.subarray(0, 19)).digest()
    expect(bytes.subarray(19)).toEqual(mac.subarray(0, 6))
  })
})
