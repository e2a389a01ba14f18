// The service with fast clients, whose bodies it reads below node:http: what it promises of offsets, take-overs, first bytes and
// checksums holds there as well.

import { createHash } from 'node:crypto'
import { Agent } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { filmBytes, noise, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { TusUser } from '../../support/tus.ts'

const MIB = 1024 ** 2
const FILM = filmBytes(21 * MIB + 12_345)

overBothStores((kind) => {
  let stack: Environment
  let user: TusUser
  let url: string
  let slabsTaken: () => number

  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
  })
  afterAll(() => stack.close())
  beforeEach(async () => {
    const { budget } = stack.deps
    const take = vi.spyOn(budget.slabs, 'take')
    slabsTaken = () => take.mock.calls.length
    user = await stack.user('film')
    url = await user.create({ length: FILM.length, name: 'a.mp4' })
  })
  afterEach(async () => {
    const { budget } = stack.deps
    await waitFor(() => budget.used === 0 && budget.slabs.bytes === 0, { what: 'all memory to be given back' })
    vi.restoreAllMocks()
  })

  /** Sends a beginning, and waits until it is read below node:http. */
  async function begin(bytes: number) {
    const before = slabsTaken()
    const sending = user.begin(url, 0, FILM.length)
    await sending.write(FILM.subarray(0, bytes))
    await waitFor(() => slabsTaken() > before, { what: 'the reader' })
    return sending
  }

  /** As clients do: the request before may store more between the question and the next request. */
  async function goOn(): Promise<void> {
    const isDone = async () => {
      const offset = await user.offset(url)
      expect(offset).toBeLessThanOrEqual(10 * MIB)
      const { status } = await user.patch(url, offset, FILM.subarray(offset))
      expect([204, 409]).toContain(status)
      return status === 204
    }
    await waitFor(isDone, { what: 'the rest to be stored' })
  }

  test('a file in one request', async () => {
    const { status, headers } = await user.patch(url, 0, FILM)
    expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 204, offset: String(FILM.length) })
    expect(slabsTaken()).toBeGreaterThan(10)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a file that comes with its creation', async () => {
    const sending = user.beginPost({ length: FILM.length, name: 'a.mp4' }, FILM.length)
    sending.end(FILM)
    const { status, headers } = await sending.reply
    expect(status).toBe(201)
    expect(slabsTaken()).toBeGreaterThan(0)
    expect(await stack.storedSha256(headers.location ?? '')).toBe(sha256(FILM))
  })

  test('a HEAD while it runs is told what is stored by then, and the request goes on', async () => {
    const sending = await begin(10 * MIB)
    const offset = await waitFor(async () => (await user.offset(url)) >= 8 * MIB && (await user.offset(url)))
    expect(offset).toBeLessThanOrEqual(10 * MIB)
    sending.end(FILM.subarray(10 * MIB))
    expect((await sending.reply).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a newer request takes over, and the file is whole', async () => {
    const sending = await begin(10 * MIB)
    await goOn()
    await sending.reply.catch(() => undefined)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a client that is cut off goes on where it was', async () => {
    const sending = await begin(10 * MIB)
    sending.cut()
    await goOn()
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a deletion ends it', async () => {
    const sending = await begin(10 * MIB)
    expect((await user.remove(url)).status).toBe(204)
    await sending.reply.then(
      ({ status }) => expect(status).toBeGreaterThanOrEqual(400),
      () => undefined,
    )
    expect((await user.head(url)).status).toBe(410)
  })

  test('bytes that are no film are refused', async () => {
    const { status, problem } = await user.patch(url, 0, noise(FILM.length, 'no film'))
    expect({ status, code: problem?.code }).toEqual({ status: 415, code: 'UPLOAD_TYPE_NOT_ALLOWED' })
  })

  test('a checksum is verified', async () => {
    const sum = (bytes: Buffer) => `sha256 ${createHash('sha256').update(bytes).digest('base64')}`
    const first = FILM.subarray(0, 12 * MIB)
    expect((await user.patch(url, 0, first, { 'Upload-Checksum': sum(FILM) })).status).toBe(460)
    expect(await user.offset(url)).toBe(0)
    expect((await user.patch(url, 0, first, { 'Upload-Checksum': sum(first) })).status).toBe(204)
    const rest = FILM.subarray(12 * MIB)
    expect((await user.patch(url, 12 * MIB, rest, { 'Upload-Checksum': sum(rest) })).status).toBe(204)
    expect(slabsTaken()).toBeGreaterThan(0)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a kept connection serves one request after the other', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const sockets = new Set<unknown>()
    const note = (socket: unknown) => sockets.add(socket)
    stack.app.server.on('connection', note)
    const step = 3 * MIB
    for (let at = 0; at < FILM.length; at += step) {
      const body = FILM.subarray(at, at + step)
      const { status, headers } = await user.patch(url, at, body, {}, agent)
      expect({ status, offset: headers['upload-offset'] }).toEqual({ status: 204, offset: String(at + body.length) })
    }
    expect(sockets.size).toBe(1)
    expect(slabsTaken()).toBeGreaterThan(0)
    agent.destroy()
    stack.app.server.off('connection', note)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })

  test('a drain while it runs keeps what was received', async () => {
    const sending = await begin(10 * MIB)
    await stack.deps.peers.yieldAll()
    const { status, problem } = await sending.reply
    expect({ status, code: problem?.code }).toEqual({ status: 423, code: 'DRAINING' })
    const offset = await user.offset(url)
    expect(offset).toBeGreaterThan(0)
    expect((await user.patch(url, offset, FILM.subarray(offset))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  })
})

test('READ_BELOW_HTTP=false: everything goes through node:http', async () => {
  const stack = await openEnvironment({ env: { READ_BELOW_HTTP: 'false' } })
  try {
    const take = vi.spyOn(stack.deps.budget.slabs, 'take')
    const user = await stack.user('film')
    const url = await user.create({ length: FILM.length, name: 'a.mp4' })
    const { status } = await user.patch(url, 0, FILM)
    expect(status).toBe(204)
    expect(take).not.toHaveBeenCalled()
    expect(await stack.storedSha256(url)).toBe(sha256(FILM))
  } finally {
    await stack.close()
  }
})
