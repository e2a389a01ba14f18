// With its last byte here a file is complete, whatever becomes of the request that brought it: a client that is told the
// whole length sends nothing more, and nobody else would finish the upload.

import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isStored } from '../../../src/records/upload-record.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { begin, idOf, metadata, OFFSET_TYPE, type Sending, tusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const LENGTH = 900_000
const bytes = filmBytes(LENGTH, 'last byte')

const checksum = (data: Buffer) => ({
  'Upload-Checksum': `sha256 ${createHash('sha256').update(data).digest('base64')}`,
})

/** Somebody whose ticket ends with a session. */
async function someone(stack: Environment) {
  const submission = await stack.submission()
  const made = await stack.call('POST', `/v1/submissions/${submission}/sessions`, { body: { can: ['upload'] } })
  const issued = async (token?: string) => {
    const options = { body: { slot: 'film' }, ...(token === undefined ? {} : { token }) }
    const answer = await stack.call('POST', `/v1/submissions/${submission}/tickets`, options)
    return tusUser(stack.url, String(answer.body['ticket']))
  }
  return {
    user: await issued(String(made.body['token'])),
    /** With a ticket that no revocation of the session concerns. */
    again: () => issued(),
    revoke: async () => {
      const path = `/v1/submissions/${submission}/sessions/${String(made.body['id'])}`
      expect((await stack.call('DELETE', path)).status).toBe(204)
    },
  }
}

async function received({ deps }: Environment): Promise<number> {
  return (await deps.metrics.uploadBytesReceived.get()).values[0]?.value ?? 0
}

/** It is stored, and its verdict is queued. */
async function expectFinished(stack: Environment, url: string): Promise<void> {
  const id = idOf(url)
  expect((await stack.until(id, ({ state }) => isStored(state))).state).toBe('stored')
  const isQueued = async () => (await stack.deps.queues.stateOf('validate', id, 1)) !== 'unknown'
  await waitFor(isQueued, { what: 'its verdict to be queued' })
  expect(await stack.storedSha256(url)).toBe(sha256(bytes))
}

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
  })
  afterAll(() => stack.close())

  const created = async () => {
    const person = await someone(stack)
    return { ...person, url: await person.user.create({ length: LENGTH, name: 'a.mp4' }) }
  }

  /** Waits until every byte of `sending` has arrived; the end of its body has not. */
  async function writeAll(sending: Sending, data: Buffer): Promise<void> {
    const before = await received(stack)
    await sending.write(data)
    await waitFor(async () => (await received(stack)) - before >= data.length, { what: 'the last byte to arrive' })
  }

  test('of a PATCH whose ticket is revoked', async () => {
    const { user, url, revoke } = await created()
    const sending = user.begin(url, 0)
    await writeAll(sending, bytes)
    await revoke()
    expect((await sending.reply).status).toBe(204)
    await expectFinished(stack, url)
  })

  test('of a creation whose ticket is revoked', async () => {
    const { user, revoke } = await someone(stack)
    const sending = begin('POST', `${stack.url}/files`, {
      ...user.headers,
      'Upload-Length': LENGTH,
      'Upload-Metadata': metadata({ filename: 'a.mp4' }),
      'Content-Type': OFFSET_TYPE,
    })
    await writeAll(sending, bytes)
    await revoke()
    const reply = await sending.reply
    expect(reply).toMatchObject({ status: 201, headers: { 'upload-offset': String(LENGTH) } })
    await expectFinished(stack, reply.headers.location ?? '')
  })

  // Less than is dropped at a take-over, and more.
  test.each([100_000, LENGTH - 100_000])('of a PATCH that is taken over, with %d bytes acknowledged', async (known) => {
    const { user, url } = await created()
    const sending = user.begin(url, 0)
    await sending.write(bytes.subarray(0, known))
    await waitFor(async () => (await user.offset(url)) === known)
    await writeAll(sending, bytes.subarray(known))
    const newer = await user.patch(url, known, bytes.subarray(known))
    expect([204, 409]).toContain(newer.status)
    expect([204, 400]).toContain((await sending.reply).status)
    expect(await user.offset(url)).toBe(LENGTH)
    await expectFinished(stack, url)
  })

  test('of a PATCH of which HEAD is told the whole length', async () => {
    const { user, url } = await created()
    const sending = user.begin(url, 0)
    await writeAll(sending, bytes)
    expect(await user.offset(url)).toBe(LENGTH)
    // At once: the client waits for an answer, with its connection open.
    expect((await stack.latest(idOf(url))).state).toBe('stored')
    await expectFinished(stack, url)
    expect((await sending.reply).status).toBe(204)
  })

  test('of an upload whose length is told last, by a request that fails', async () => {
    const { user } = await someone(stack)
    const url = await user.create({ length: null, name: 'a.mp4' })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    const wrong = { 'Upload-Length': LENGTH, ...checksum(bytes) }
    expectProblem(await user.patch(url, LENGTH, Buffer.alloc(0), wrong), 460, 'CHECKSUM_MISMATCH')
    expect(await user.head(url)).toMatchObject({
      status: 200,
      headers: { 'upload-offset': String(LENGTH), 'upload-length': String(LENGTH) },
    })
    expect((await stack.latest(idOf(url))).state).toBe('stored')
    await expectFinished(stack, url)
  })

  test('of a PATCH with a checksum does not count before it is verified', async () => {
    const { user, url, revoke, again } = await created()
    const sending = user.begin(url, 0, undefined, checksum(bytes))
    await writeAll(sending, bytes)
    expect(await user.offset(url)).toBe(0)
    await revoke()
    expectProblem(await sending.reply, 401, 'TICKET_REVOKED')
    const next = await again()
    expect(await next.offset(url)).toBe(0)
    const newer = next.begin(url, 0, undefined, checksum(bytes))
    await writeAll(newer, bytes)
    expect((await next.patch(url, 0, bytes, checksum(bytes))).status).toBe(204)
    expectProblem(await newer.reply, 400, 'UPLOAD_TAKEN_OVER')
    await expectFinished(stack, url)
  })

  test('of a PATCH before DELETE, which ends no complete file', async () => {
    const { user, url } = await created()
    const sending = user.begin(url, 0)
    await writeAll(sending, bytes)
    expectProblem(await user.remove(url), 409, 'UPLOAD_FINISHED')
    await expectFinished(stack, url)
  })
})
