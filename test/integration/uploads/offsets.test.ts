// The conversation about an upload: where it stands, what ends it, what a repeated creation finds.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { cancelled } from '../../../src/lifecycle/transitions.ts'
import { pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { idOf, tusUser } from '../../support/tus.ts'
import { type Neighbour, startNeighbour } from './neighbour.ts'
import { expectProblem } from './problem.ts'

const HOUR_MS = 3_600_000

overBothStores((kind) => {
  let stack: Environment
  let neighbour: Neighbour
  let skewMs = 0

  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, clock: { now: () => Date.now() + skewMs } })
    neighbour = await startNeighbour(stack)
  })
  afterEach(async () => {
    skewMs = 0
    await neighbour.step()
  })
  afterAll(async () => {
    await neighbour.finish()
    await stack.close()
  })

  test('a wrong offset: 409 with the stored one, nothing written', async () => {
    const bytes = pdfBytes(5000)
    const user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    await user.patch(url, 0, bytes.subarray(0, 2000))
    for (const wrong of [0, 1999, 2001, 5000]) {
      const refused = await user.patch(url, wrong, bytes.subarray(0, 100))
      expect(expectProblem(refused, 409, 'OFFSET_MISMATCH')['offset']).toBe(2000)
      expect(refused.headers['upload-offset']).toBe('2000')
    }
    expect((await user.patch(url, 2000, bytes.subarray(2000))).headers['upload-offset']).toBe('5000')
    const late = await user.patch(url, 2000, bytes.subarray(2000))
    expect({ status: late.status, offset: late.headers['upload-offset'] }).toEqual({
      status: 409,
      offset: '5000',
    })
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    expect(await user.offset(url)).toBe(5000)
  })

  test('more bytes than declared: 413, earlier bytes are kept and the upload can be finished', async () => {
    const bytes = pdfBytes(4000)
    const user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    const refused = await user.patch(url, 0, Buffer.concat([bytes, Buffer.from('more')]))
    expectProblem(refused, 413, 'UPLOAD_LENGTH_EXCEEDED')
    const offset = await user.offset(url)
    expect(offset).toBeLessThan(bytes.length)
    expect((await user.patch(url, offset, bytes.subarray(offset))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('an empty file is refused in a slot', async () => {
    const user = await stack.user('plan')
    expectProblem(await user.post({ length: 0, name: 'a.pdf' }), 400, 'UPLOAD_EMPTY')
  })

  test('a deferred length is declared later, once', async () => {
    const bytes = pdfBytes(3000)
    const user = await stack.user('plan')
    const url = await user.create({ length: null, name: 'a.pdf' })
    expect((await user.head(url)).headers).toMatchObject({ 'upload-defer-length': '1', 'upload-offset': '0' })
    await user.patch(url, 0, bytes.subarray(0, 2000))
    const tooShort = await user.patch(url, 2000, Buffer.alloc(0), { 'Upload-Length': 1999 })
    expectProblem(tooShort, 400, 'TUS_HEADER_INVALID')
    const last = await user.patch(url, 2000, bytes.subarray(2000), { 'Upload-Length': 3000 })
    expect(last.headers['upload-offset']).toBe('3000')
    expect((await user.head(url)).headers).toMatchObject({ 'upload-length': '3000', 'upload-offset': '3000' })
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('terminated: 410 from then on, and no byte is kept', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    await user.patch(url, 0, pdfBytes(2000))
    const before = await stack.record(url)
    expect((await user.remove(url)).status).toBe(204)
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, 2000, pdfBytes(10)), 410, 'UPLOAD_CANCELLED')
    expectProblem(await user.remove(url), 410, 'UPLOAD_CANCELLED')
    expect(await stack.deps.store.head(before.object.key)).toBeUndefined()
    // The store says so too, long after Redis has forgotten.
    await stack.deps.redis.hot.del(`sn:hot:${idOf(url)}`, `sn:record:${idOf(url)}`)
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, 2000, pdfBytes(10)), 410, 'UPLOAD_CANCELLED')
  })

  test('terminated by a process that died before the bytes were deleted: the next request deletes them', async () => {
    const { deps } = stack
    const user = await stack.user('plan')
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    await user.patch(url, 0, pdfBytes(2000))
    const left = async () => {
      const keys = []
      for await (const { key } of deps.store.list('uploads/'))
        if (key.includes(idOf(url)) && !key.includes('/record-')) keys.push(key)
      return keys
    }
    await deps.uploads.commit(idOf(url), (current) =>
      current === undefined ? undefined : cancelled(current, current.sequence + 1),
    )
    expect(await left()).toHaveLength(1)
    skewMs = 61_000
    await deps.reconciler.tick()
    expect(await left()).toEqual([])
    expect(await deps.redis.hot.zscore('sn:due', idOf(url))).toBeNull()
    expect((await user.head(url)).status).toBe(410)
  })

  test('terminated before the first byte: 410', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    expect((await user.remove(url)).status).toBe(204)
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, 0, pdfBytes(5000)), 410, 'UPLOAD_CANCELLED')
  })

  test('terminated during a PATCH: the PATCH ends with an error, and no byte is kept', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: 400_000, name: 'a.pdf' })
    const sending = user.begin(url, 0, 400_000)
    await sending.write(pdfBytes(100_000))
    await waitFor(async () => (await user.offset(url)) === 100_000)
    const { object } = await stack.record(url)
    expect((await user.remove(url)).status).toBe(204)
    const { status } = await sending.reply
    expect([400, 410]).toContain(status)
    expect((await user.head(url)).status).toBe(410)
    await waitFor(async () => (await stack.deps.store.head(object.key)) === undefined)
  })

  test('expired: 410, its bytes deleted; a running upload does not expire', async () => {
    const { deps } = stack
    const user = await stack.user('plan')
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    const empty = await (await stack.user('plan')).create({ length: 5000, name: 'b.pdf' })
    const { headers } = await user.patch(url, 0, pdfBytes(2000))
    const expires = Date.parse(headers['upload-expires'] as string)
    expect(Math.abs(expires - Date.now() - 72 * HOUR_MS)).toBeLessThan(60_000)
    skewMs = 71 * HOUR_MS
    await deps.reconciler.one(idOf(url))
    expect((await user.head(url)).status).toBe(200)
    skewMs = 73 * HOUR_MS
    await deps.reconciler.one(idOf(url))
    await deps.reconciler.one(idOf(empty))
    expect((await user.head(url)).status).toBe(410)
    expectProblem(await user.patch(url, 2000, pdfBytes(10)), 410, 'UPLOAD_EXPIRED')
    expect((await stack.record(url)).state).toBe('expired')
    const bytes = []
    for await (const { key } of deps.store.list(`uploads/`))
      if (key.includes(idOf(url)) && !key.includes('/record-')) bytes.push(key)
    expect(bytes).toEqual([])
    const inRedisOnly = await user.head(empty)
    expect([403, 410]).toContain(inRedisOnly.status)
  })

  test('expiry counts from the last byte', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: 5000, name: 'a.pdf' })
    await user.patch(url, 0, pdfBytes(1000))
    skewMs = 70 * HOUR_MS
    await user.patch(url, 1000, Buffer.alloc(1000))
    skewMs = 141 * HOUR_MS
    await stack.deps.reconciler.one(idOf(url))
    expect(await user.offset(url)).toBe(2000)
  })

  test('a creation with the same fingerprint returns the unfinished upload and its offset', async () => {
    const bytes = pdfBytes(4000)
    const submission = await stack.submission()
    const user = tusUser(stack.url, await stack.ticket(submission, 'plan'))
    const creation = { length: bytes.length, name: 'a.pdf', fingerprint: 'f-1' }
    const url = await user.create(creation)
    await user.patch(url, 0, bytes.subarray(0, 1500))
    // Another browser, another ticket.
    const again = tusUser(stack.url, await stack.ticket(submission, 'plan', { subject: 'somebody' }))
    const joined = await again.post(creation)
    expect(joined).toMatchObject({ status: 201, headers: { location: url, 'upload-offset': '1500' } })
    const withBody = await again.post({ ...creation, body: bytes })
    expect(withBody).toMatchObject({ status: 201, headers: { location: url, 'upload-offset': '1500' } })
    expect(await again.offset(url)).toBe(1500)
    // Anything else is another upload.
    const others = [
      await again.create({ ...creation, fingerprint: 'f-2' }),
      await again.create({ length: 4001, name: 'a.pdf', fingerprint: 'f-1' }),
      await again.create({ length: bytes.length, name: 'a.pdf' }),
    ]
    expect(others).not.toContain(url)
    expect((await again.patch(url, 1500, bytes.subarray(1500))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    // A finished one is not joined.
    expect(await again.create(creation)).not.toBe(url)
  })

  test('a creation that finds a running upload returns its current offset', async () => {
    const user = await stack.user('plan')
    const creation = { length: 400_000, name: 'a.pdf', fingerprint: 'f-1' }
    const url = await user.create(creation)
    const sending = user.begin(url, 0, 400_000)
    await sending.write(pdfBytes(400_000).subarray(0, 100_000))
    await waitFor(async () => (await user.post(creation)).headers['upload-offset'] === '100000')
    sending.end(pdfBytes(400_000).subarray(100_000))
    expect((await sending.reply).status).toBe(204)
  })

  // Regression: in a slot for several files the unfinished upload itself made the slot full for its own repetition.
  test('a full slot still lets an unfinished upload be found by its fingerprint', async () => {
    const submission = await stack.submission()
    const user = tusUser(stack.url, await stack.ticket(submission, 'extras'))
    const first = { length: 4000, name: 'a.pdf', fingerprint: 'f-1' }
    const url = await user.create(first)
    await user.create({ length: 4000, name: 'b.pdf', fingerprint: 'f-2' })
    const joined = await user.post(first)
    expect(joined).toMatchObject({ status: 201, headers: { location: url } })
  })
})
