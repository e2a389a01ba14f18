// What one person may have under way, and that more is never promised than the disk has room for.

import { afterEach, expect, it, vi } from 'vitest'
import { countOpenUploads } from '../../../src/records/open-uploads.ts'
import { filmBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { tusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const FILE_BYTES = 400_000_000
/** Never promised: see src/uploads/space.ts. */
const KEPT_FREE_BYTES = 512 * 1024 ** 2

let stack: Environment
const open = async (env: Record<string, string> = {}) => {
  stack = await openEnvironment({ env })
}
afterEach(async () => {
  vi.restoreAllMocks()
  await stack.close()
})

const as = async (subject: string | undefined, slot = 'film', submission?: string) =>
  tusUser(
    stack.url,
    await stack.ticket(submission ?? (await stack.submission()), slot, subject === undefined ? {} : { subject }),
  )

it('the number of unfinished uploads per person is limited over all submissions; ended ones do not count', async () => {
  await open({ MAX_OPEN_UPLOADS_PER_PERSON: '2' })
  const first = await as('one')
  const url = await first.create({ length: 10, name: 'a.mp4' })
  await (await as('one')).create({ length: 10, name: 'b.mp4' })
  expectProblem(await (await as('one')).post({ length: 10, name: 'c.mp4' }), 403, 'OPEN_UPLOADS_LIMIT')
  expect((await (await as('two')).post({ length: 10, name: 'c.mp4' })).status).toBe(201)
  await stack.call('DELETE', `/v1/uploads/${url.split('/').at(-1)}`)
  expect((await (await as('one')).post({ length: 10, name: 'c.mp4' })).status).toBe(201)
})

it('without a person the submission is counted', async () => {
  await open({ MAX_OPEN_UPLOADS_PER_PERSON: '1' })
  const [one, two] = [await stack.submission(), await stack.submission()]
  await (await as(undefined, 'film', one)).create({ length: 10, name: 'a.mp4' })
  expectProblem(await (await as(undefined, 'film', one)).post({ length: 10, name: 'b.mp4' }), 403, 'OPEN_UPLOADS_LIMIT')
  expect((await (await as(undefined, 'film', two)).post({ length: 10, name: 'b.mp4' })).status).toBe(201)
})

it('the declared bytes of a person’s unfinished uploads are limited; sent bytes no longer count', async () => {
  await open({ MAX_OPEN_BYTES_PER_PERSON: '1000' })
  const user = await as('one')
  const url = await user.create({ length: 600, name: 'a.mp4' })
  const refused = await (await as('one')).post({ length: 500, name: 'b.mp4' })
  expectProblem(refused, 403, 'OPEN_BYTES_LIMIT')
  expect(refused.problem).toMatchObject({ limit: 1000, actual: 1100 })
  await stack.call('DELETE', `/v1/uploads/${url.split('/').at(-1)}`)
  expect((await (await as('one')).post({ length: 500, name: 'b.mp4' })).status).toBe(201)
})

it('a length that is declared later does not reduce the limit of other uploads', async () => {
  await open({ MAX_OPEN_BYTES_PER_PERSON: '1000' })
  const user = await as('one')
  const url = await user.create({ length: null, name: 'a.mp4' })
  expect((await user.patch(url, 0, filmBytes(900, 'deferred'))).status).toBe(204)
  await (await as('one')).create({ length: 1000, name: 'b.mp4' })
  expectProblem(await (await as('one')).post({ length: 500, name: 'c.mp4' }), 403, 'OPEN_BYTES_LIMIT')
})

it('the number of replaced files per slot is limited', async () => {
  await open({ MAX_SUPERSEDED_PER_SLOT: '1' })
  const submission = await stack.submission()
  await stack.acceptedUpload(submission, 'plan')
  await stack.acceptedUpload(submission, 'plan')
  const answer = await stack.call('POST', `/v1/submissions/${submission}/tickets`, { body: { slot: 'plan' } })
  expect([answer.status, answer.body.code]).toEqual([403, 'SUPERSEDED_LIMIT'])
  expect((await stack.call('POST', `/v1/submissions/${submission}/tickets`, { body: { slot: 'film' } })).status).toBe(
    201,
  )
})

it('the bytes per slot are limited, including files that do not count', async () => {
  await open({ MAX_STORED_BYTES_PER_SLOT: '1' })
  const submission = await stack.submission()
  const ask = (slot: string) => stack.call('POST', `/v1/submissions/${submission}/tickets`, { body: { slot } })
  const file = await stack.acceptedUpload(submission, 'plan')
  const answer = await ask('plan')
  expect([answer.status, answer.body]).toEqual([
    403,
    expect.objectContaining({ code: 'STORED_BYTES_LIMIT', limit: 1, actual: file.declared.bytes }),
  ])
  expect((await ask('film')).status).toBe(201)
})

it('space is reserved: of concurrent large files only those that fit are accepted, and nothing stays reserved', async () => {
  await open()
  vi.spyOn(stack.deps.store, 'freeBytes').mockResolvedValue(KEPT_FREE_BYTES + 5.5 * FILE_BYTES)
  const users = await Promise.all(Array.from({ length: 20 }, (_, i) => as(`person ${i}`)))
  const replies = await Promise.all(users.map((user) => user.post({ length: FILE_BYTES, name: 'a.mp4' })))
  const taken = replies.filter(({ status }) => status === 201)
  expect(taken).toHaveLength(5)
  for (const reply of replies.filter(({ status }) => status !== 201)) expectProblem(reply, 503, 'NO_SPACE')
  const { redis, clock, config } = stack.deps
  expect(await countOpenUploads(redis.hot)).toMatchObject({ bytesLeft: 5 * FILE_BYTES, bytesPromised: 5 * FILE_BYTES })
  // A film that nobody goes on with holds its room for an hour, not until it expires.
  const since = clock.now() + config.uploads.expiryMs
  expect((await countOpenUploads(redis.hot, since - 60_000)).bytesPromised).toBe(5 * FILE_BYTES)
  expect((await countOpenUploads(redis.hot, since + 60_000)).bytesPromised).toBe(0)
  for (const { headers } of taken) {
    const id = String(headers.location).split('/').at(-1)
    expect((await stack.call('DELETE', `/v1/uploads/${id}`)).status).toBe(204)
  }
  expect((await countOpenUploads(redis.hot)).bytesLeft).toBe(0)
})
