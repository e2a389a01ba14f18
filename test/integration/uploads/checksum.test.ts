// A body with a checksum counts whole or not at all.

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitFor } from '../../support/http.ts'
import { filmBytes, sha256 } from './bytes.ts'
import { type House, openHouse, overBothStores } from './house.ts'
import { expectProblem } from './problem.ts'

const KIB = 1024
const bytes = filmBytes(400 * KIB, 'checksum')
const half = bytes.subarray(0, 200 * KIB)

const checksum = (data: Buffer, algorithm = 'sha256') => ({
  'Upload-Checksum': `${algorithm} ${createHash(algorithm).update(data).digest('base64')}`,
})

overBothStores((kind) => {
  let house: House
  beforeAll(async () => {
    house = await openHouse({ store: kind })
  })
  afterAll(() => house.close())

  const begun = async () => {
    const user = await house.user('film')
    return { user, url: await user.create({ length: bytes.length, name: 'a.mp4' }) }
  }

  test('a wrong one: 460, and nothing of the body counts', async () => {
    const { user, url } = await begun()
    expect((await user.patch(url, 0, half, checksum(half, 'sha1'))).status).toBe(204)
    const wrong = await user.patch(url, half.length, bytes.subarray(half.length), checksum(half))
    expectProblem(wrong, 460, 'CHECKSUM_MISMATCH')
    expect(await user.offset(url)).toBe(half.length)
    const rest = bytes.subarray(half.length)
    expect((await user.patch(url, half.length, rest, checksum(rest))).status).toBe(204)
    expect(await house.storedSha256(url)).toBe(sha256(bytes))
  })

  test('nobody who asks meanwhile is told of bytes that are not verified', async () => {
    const { user, url } = await begun()
    const sending = user.begin(url, 0, half.length, checksum(half))
    await sending.write(half.subarray(0, 100 * KIB))
    expect(await user.offset(url)).toBe(0)
    sending.end(half.subarray(100 * KIB))
    expect((await sending.reply).status).toBe(204)
    expect(await user.offset(url)).toBe(half.length)
  })

  // Regression: all bytes had come, so the upload was finished, without the bytes that waited for verification.
  test('a body that breaks off after its last byte, before its end, is not taken for verified', async () => {
    const { user, url } = await begun()
    const sending = user.begin(url, 0, undefined, checksum(bytes))
    await sending.write(bytes)
    const holder = () => [...house.deps.peers.holders].find(({ id }) => url.endsWith(id))
    await waitFor(() => holder() !== undefined)
    await waitFor(() => house.deps.budget.used >= bytes.length)
    sending.cut()
    await waitFor(() => holder() === undefined)
    expect(await user.offset(url)).toBe(0)
    expect((await user.patch(url, 0, bytes, checksum(bytes))).status).toBe(204)
    expect(await house.storedSha256(url)).toBe(sha256(bytes))
  })
})
