// Who may do what, and what is refused before or at the first bytes; all beside an upload that nothing may disturb.

import { createHmac } from 'node:crypto'
import { Agent } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { newUploadId } from '../../../src/core/ids.ts'
import { filmBytes, pdfBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, OTHER_KEY, openEnvironment, TICKET_SECRET } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { PLAN_MAX_BYTES } from '../../support/profiles.ts'
import { idOf, tusUser } from '../../support/tus.ts'
import { type Neighbour, startNeighbour } from './neighbour.ts'
import { expectProblem } from './problem.ts'

const KIB = 1024
const MINUTE_MS = 60_000

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

  test('without a ticket, with a foreign signature, or with an invalid token: 401 TICKET_INVALID', async () => {
    const owner = await stack.user('plan')
    const url = await owner.create({ length: 10, name: 'a.pdf' })
    const [head = '', payload = ''] = String(owner.headers['Authorization']).split('.')
    const forged = createHmac('sha256', 'another secret').update(`${head}.${payload}`).digest('base64url')
    for (const ticket of [null, 'nonsense', `${head.replace('Bearer ', '')}.${payload}.${forged}`]) {
      const stranger = tusUser(stack.url, ticket)
      expectProblem(await stranger.post({ length: 10, name: 'a.pdf' }), 401, 'TICKET_INVALID')
      expectProblem(await stranger.patch(url, 0, pdfBytes(10)), 401, 'TICKET_INVALID')
      expectProblem(await stranger.remove(url), 401, 'TICKET_INVALID')
      const { status, text } = await stranger.head(url)
      expect({ status, text }).toEqual({ status: 401, text: '' })
    }
    expect((await tusUser(stack.url, null).post({ length: 10 })).headers['www-authenticate']).toBe('Bearer')
    expect(await owner.offset(url)).toBe(0)
  })

  test('an expired ticket creates nothing, but continues a running upload', async () => {
    const bytes = pdfBytes(3000)
    const user = await stack.user('plan', { expiresInSeconds: 60 })
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    skewMs = 61_000
    expectProblem(await user.post({ length: 10, name: 'a.pdf' }), 401, 'TICKET_EXPIRED')
    expect((await user.patch(url, 0, bytes.subarray(0, 1000))).status).toBe(204)
    expect(await user.offset(url)).toBe(1000)
    expect((await user.patch(url, 1000, bytes.subarray(1000))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    const other = await user.remove(url)
    expectProblem(other, 409, 'UPLOAD_FINISHED')
  })

  test('a ticket for another slot, submission or portal: 403 TICKET_SCOPE, and the upload is unchanged', async () => {
    const submission = await stack.submission()
    const owner = tusUser(stack.url, await stack.ticket(submission, 'plan'))
    const url = await owner.create({ length: 2000, name: 'a.pdf' })
    await owner.patch(url, 0, pdfBytes(2000).subarray(0, 500))
    await stack.call('PUT', `/v1/submissions/${submission}`, { body: { profile: 'intake@1' }, token: OTHER_KEY })
    const foreign = await stack.call('POST', `/v1/submissions/${submission}/tickets`, {
      body: { slot: 'plan' },
      token: OTHER_KEY,
    })
    const strangers = [
      tusUser(stack.url, await stack.ticket(submission, 'film')),
      await stack.user('plan'),
      tusUser(stack.url, String(foreign.body['ticket'])),
    ]
    for (const stranger of strangers) {
      expectProblem(await stranger.patch(url, 500, pdfBytes(1500)), 403, 'TICKET_SCOPE')
      expectProblem(await stranger.remove(url), 403, 'TICKET_SCOPE')
      expect((await stranger.head(url)).status).toBe(403)
    }
    expect(await owner.offset(url)).toBe(500)
    // Nor when only the store still knows the upload.
    await stack.deps.redis.hot.del(`sn:hot:${idOf(url)}`)
    const [otherSlot] = strangers
    expect((await otherSlot?.head(url))?.status).toBe(403)
    expectProblem((await otherSlot?.patch(url, 500, pdfBytes(1500))) ?? (await owner.head(url)), 403, 'TICKET_SCOPE')
    expect(await owner.offset(url)).toBe(500)
  })

  test('more than the slot allows: 413 before a byte, with the limit', async () => {
    const user = await stack.user('plan')
    const tooLarge = await user.post({ length: PLAN_MAX_BYTES + 1, name: 'a.pdf' })
    expect(expectProblem(tooLarge, 413, 'UPLOAD_TOO_LARGE')).toMatchObject({
      limit: PLAN_MAX_BYTES,
      actual: PLAN_MAX_BYTES + 1,
    })
    expect(tooLarge.headers.location).toBeUndefined()
    expect((await user.post({ length: PLAN_MAX_BYTES, name: 'a.pdf' })).status).toBe(201)
    const narrow = await stack.user('plan', { maxBytes: 1000 })
    expectProblem(await narrow.post({ length: 1001, name: 'a.pdf' }), 413, 'UPLOAD_TOO_LARGE')
  })

  test('the same limit applies to a deferred length, before and after it is declared', async () => {
    const user = await stack.user('plan', { maxBytes: 1000 })
    const url = await user.create({ length: null, name: 'a.pdf' })
    const declared = await user.patch(url, 0, Buffer.alloc(0), { 'Upload-Length': 1001 })
    expectProblem(declared, 413, 'UPLOAD_TOO_LARGE')
    expectProblem(await user.patch(url, 0, pdfBytes(1001)), 413, 'UPLOAD_LENGTH_EXCEEDED')
    expect(await user.offset(url)).toBeLessThanOrEqual(1000)
  })

  test('a name or type that the slot does not accept: 415 before a byte', async () => {
    const user = await stack.user('plan')
    const refused = await user.post({ length: 1000, name: 'การสอน.mp4', type: 'video/mp4' })
    expect(expectProblem(refused, 415, 'UPLOAD_TYPE_NOT_ALLOWED')).toMatchObject({ limit: ['pdf'] })
    expect((await user.post({ length: 1000, name: 'แผน.pdf', type: '' })).status).toBe(201)
    expect((await user.post({ length: 1000, name: 'แผน', type: 'application/octet-stream' })).status).toBe(201)
  })

  test('first bytes that the slot does not accept: 415 before the rest is sent, and the connection is closed', async () => {
    const user = await stack.user('plan')
    const url = await user.create({ length: PLAN_MAX_BYTES, name: 'a.pdf' })
    const sending = user.begin(url, 0, PLAN_MAX_BYTES)
    await sending.write(filmBytes(4 * KIB))
    // The other 990 kB are never sent.
    const reply = await sending.reply
    expectProblem(reply, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
    expect(reply.headers.connection).toBe('close')
    // Nothing is left that could be gone on with.
    expect((await user.head(url)).status).toBe(410)
  })

  test('the same for bytes that come with the creation', async () => {
    const user = await stack.user('plan')
    const sending = user.beginPost({ length: PLAN_MAX_BYTES, name: 'a.pdf' }, PLAN_MAX_BYTES)
    await sending.write(filmBytes(4 * KIB))
    const reply = await sending.reply
    expectProblem(reply, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
    expect(reply.headers.connection).toBe('close')
  })

  test('a body too short to recognize the type is not refused', async () => {
    const bytes = pdfBytes(3000)
    const user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    expect((await user.patch(url, 0, bytes.subarray(0, 1))).status).toBe(204)
    expect((await user.patch(url, 1, bytes.subarray(1, 9))).status).toBe(204)
    expect((await user.patch(url, 9, bytes.subarray(9))).status).toBe(204)
    // The whole of a file is told by whatever there is of it.
    const tiny = await user.create({ length: 3, name: 'b.pdf' })
    expectProblem(await user.patch(tiny, 0, Buffer.from('abc')), 415, 'UPLOAD_TYPE_NOT_ALLOWED')
  })

  test('a client that continues to send after a refusal receives the refusal', async () => {
    const user = await stack.user('film')
    const url = await user.create({ length: 100_000_000, name: 'a.mp4' })
    const sending = user.begin(url, 0, 100_000_000)
    let answered = false
    const reply = sending.reply.finally(() => {
      answered = true
    })
    const chunk = pdfBytes(64 * KIB)
    for (let sent = 0; !answered && sent < 100_000_000; sent += chunk.length)
      // Once the server has closed, writing fails; what counts is that the answer came first.
      await sending.write(chunk).catch(() => undefined)
    expectProblem(await reply, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
  })

  test('the small rest of a refused body is read, and the connection kept', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      const user = await stack.user('plan')
      const url = await user.create({ length: 100_000, name: 'a.pdf' })
      const refused = await user.patch(url, 5, Buffer.alloc(90_000), {}, agent)
      expectProblem(refused, 409, 'OFFSET_MISMATCH')
      expect(refused.headers.connection).not.toBe('close')
      const [socket] = Object.values(agent.freeSockets).flat()
      expect((await user.patch(url, 0, pdfBytes(100_000), {}, agent)).status).toBe(204)
      expect(Object.values(agent.freeSockets).flat()).toEqual([socket])
    } finally {
      agent.destroy()
    }
  })

  // Regression: a flush for HEAD wrote bytes before the sniffer had decided, and it then judged the file by its middle.
  test('first bytes that arrive one by one are judged together, also with HEAD requests in between', async () => {
    const bytes = pdfBytes(6000)
    const user = await stack.user('plan')
    const url = await user.create({ length: bytes.length, name: 'a.pdf' })
    const sending = user.begin(url, 0, bytes.length)
    await sending.write(bytes.subarray(0, 3))
    // Not enough to know a file by: nothing is stored of it yet.
    expect(await user.offset(url)).toBe(0)
    await sending.write(bytes.subarray(3, 8))
    expect(await user.offset(url)).toBe(0)
    sending.end(bytes.subarray(8))
    expect((await sending.reply).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
  })

  test('a slot that is full, a submission that is sealed, not open yet or too late: 403', async () => {
    const submission = await stack.submission()
    const tickets = [await stack.ticket(submission, 'extras'), await stack.ticket(submission, 'extras')]
    const [first = '', second = ''] = tickets
    await tusUser(stack.url, first).create({ length: 10, name: 'a.pdf' })
    await tusUser(stack.url, second).create({ length: 10, name: 'b.pdf' })
    const full = await tusUser(stack.url, first).post({ length: 10, name: 'c.pdf' })
    expect(expectProblem(full, 403, 'SLOT_FULL')['occupants']).toHaveLength(2)

    const dated = await stack.submission({ deadline: new Date(Date.now() + 10 * MINUTE_MS).toISOString() })
    const early = tusUser(stack.url, await stack.ticket(dated, 'plan'))
    const url = await early.create({ length: 4000, name: 'a.pdf' })
    skewMs = 11 * MINUTE_MS
    expectProblem(await early.post({ length: 10, name: 'a.pdf' }), 403, 'DEADLINE_PASSED')
    // No running upload is refused for time.
    expect((await early.patch(url, 0, pdfBytes(4000))).status).toBe(204)
    await waitFor(async () => (await stack.record(url)).state === 'stored')
    expect((await stack.record(url)).late).toBe(true)
  })

  // Regression: an upload that was refused for its first bytes kept its place in the slot until it expired.
  test('an upload refused for its first bytes does not occupy the slot', async () => {
    const submission = await stack.submission()
    const user = tusUser(stack.url, await stack.ticket(submission, 'extras'))
    for (let attempt = 0; attempt < 3; attempt++) {
      const refused = await user.post({ length: 4000, name: 'a.pdf', body: Buffer.alloc(4000, 'x') })
      expectProblem(refused, 415, 'UPLOAD_TYPE_NOT_ALLOWED')
    }
    expect((await user.post({ length: 4000, name: 'a.pdf', body: pdfBytes(4000) })).status).toBe(201)
  })

  test('ids that this service did not create: 404, in any form', async () => {
    const user = await stack.user('plan')
    const strange = [
      'a',
      newUploadId('portal', 's', ['another secret that is long enough to be one']),
      'a/b/c',
      '../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      '%00',
      // By itself `%2e%2e` is resolved by the client, as the URL standard says, and never sent.
      'a%2f%2e%2e',
      'a%5cb',
      `${'a'.repeat(250)}`,
    ]
    for (const id of strange) {
      const url = `${stack.url}/files/${id}`
      expect((await user.head(url)).status, id).toBe(404)
      const patched = await user.patch(url, 0, Buffer.alloc(10))
      expect(patched.status, id).toBe(404)
      expect(patched.problem?.message.th, id).toBeTruthy()
      expect((await user.remove(url)).status, id).toBe(404)
    }
    // A good id that nobody knows any more.
    const unknown = newUploadId('portal', await stack.submission(), [TICKET_SECRET])
    const elsewhere = await user.head(`${stack.url}/files/${unknown}`)
    expect(elsewhere.status).toBe(403)
    const submission = await stack.submission()
    const owner = tusUser(stack.url, await stack.ticket(submission, 'plan'))
    const url = `${stack.url}/files/${newUploadId('portal', submission, [TICKET_SECRET])}`
    expect((await owner.head(url)).status).toBe(404)
    expectProblem(await owner.patch(url, 0, pdfBytes(10)), 404, 'UPLOAD_UNKNOWN')
    expectProblem(await owner.remove(url), 404, 'UPLOAD_UNKNOWN')
  })
})
