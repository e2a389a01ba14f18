// Concatenation: the last call may be repeated, since its answer may be lost; partials are joined once.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { newUploadId } from '../../../src/core/ids.ts'
import { takenByFinal } from '../../../src/lifecycle/transitions.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment, TICKET_SECRET } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { idOf, send, type TusUser, tusUser } from '../../support/tus.ts'
import { expectProblem } from './problem.ts'

const HALF = 50_000

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind })
  })
  afterAll(() => stack.close())

  const film = filmBytes(2 * HALF, 'halves')

  async function partial(user: TusUser, bytes: Buffer): Promise<string> {
    const url = await user.create({ length: bytes.length, headers: { 'Upload-Concat': 'partial' } })
    expect((await user.patch(url, 0, bytes)).status).toBe(204)
    return url
  }

  const join = (user: TusUser, urls: string[]) =>
    send('POST', `${stack.url}/files`, { ...user.headers, 'Upload-Concat': `final;${urls.join(' ')}` })

  test('repeated, concurrently and after the partials are deleted: the same final upload', async () => {
    const user = await stack.user('film')
    const halves = [await partial(user, film.subarray(0, HALF)), await partial(user, film.subarray(HALF))]
    const answers = await Promise.all([join(user, halves), join(user, halves)])
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    const urls = new Set(answers.map(({ headers }) => headers.location))
    expect(urls.size).toBe(1)
    const [url = ''] = urls
    expect(await stack.storedSha256(url)).toBe(sha256(film))
    const gone = async () => (await stack.record(halves[1] ?? '')).state === 'cancelled'
    await waitFor(gone, { what: 'the partials to be released' })
    const again = await join(user, halves)
    expect([again.status, again.headers.location]).toEqual([201, url])
    expect(await stack.storedSha256(url)).toBe(sha256(film))
  })

  test('after a crash before the record a repeat completes the same final upload', async () => {
    const user = await stack.user('film')
    const half = await partial(user, film)
    const { owner, submissionId } = await stack.record(half)
    const planned = newUploadId(owner, submissionId, [TICKET_SECRET])
    await stack.deps.uploads.commit(idOf(half), (current) =>
      current === undefined ? undefined : takenByFinal(current, planned),
    )
    const { status, headers } = await join(user, [half])
    expect([status, idOf(headers.location ?? '')]).toEqual([201, planned])
    expect(await stack.storedSha256(headers.location ?? '')).toBe(sha256(film))
  })

  test('a partial that is part of another upload: 400', async () => {
    const user = await stack.user('film')
    const [one, two] = [await partial(user, film.subarray(0, HALF)), await partial(user, film.subarray(HALF))]
    expect((await join(user, [one])).status).toBe(201)
    expectProblem(await join(user, [one, two]), 400, 'CONCAT_INVALID')
  })

  // Regression: 2 MiB became 419.
  test('a partial listed twice: 400, and it stays usable', async () => {
    const user = await stack.user('film')
    const one = await partial(user, film.subarray(0, HALF))
    expectProblem(await join(user, [one, one]), 400, 'CONCAT_INVALID')
    expectProblem(await join(user, [one, new URL(one).pathname]), 400, 'CONCAT_INVALID')
    expect((await join(user, [one])).status).toBe(201)
  })

  // Regression: each file that came in parallel pieces left as many `cancelled` uploads in the list.
  test('the list of uploads has the partials until they are joined, then only the final upload', async () => {
    const id = await stack.submission()
    const user = tusUser(stack.url, await stack.ticket(id, 'film'))
    const halves = [await partial(user, film.subarray(0, HALF)), await partial(user, film.subarray(HALF))]
    const waiting = await user.create({ length: HALF, headers: { 'Upload-Concat': 'partial' } })
    const list = async () => {
      const { body } = await stack.call('GET', `/v1/submissions/${id}/uploads`)
      return (body['items'] as Record<string, unknown>[]).map((item) => [item['id'], item['state'], item['partial']])
    }
    const pieces = halves.map((url) => [idOf(url), 'stored', true])
    expect(await list()).toEqual([...pieces, [idOf(waiting), 'receiving', true]])
    const { headers } = await join(user, halves)
    const file = [idOf(headers.location ?? ''), 'stored', undefined]
    const unused = [idOf(waiting), 'receiving', true]
    expect(await list()).toEqual([unused, file])
    const gone = async () => (await stack.record(halves[1] ?? '')).state === 'cancelled'
    await waitFor(gone, { what: 'the partials to be released' })
    expect(await list()).toEqual([unused, file])
    expect((await user.remove(waiting)).status).toBe(204)
    expect(await list()).toEqual([file])
  })

  // Regression: pieces that lay there before the deadline were made a file days later, credited to before it.
  test('after the deadline: the creation dates of the partials and the time of the final request count', async () => {
    let ahead = 0
    const later = await openEnvironment({
      store: kind,
      redis: stack.redis,
      clock: { now: () => Date.now() + ahead },
    })
    try {
      const day = 86_400_000
      const deadline = new Date(Date.now() + day).toISOString()
      const made = async () => {
        const id = await later.submission({ deadline, graceSeconds: 600 })
        const user = tusUser(later.url, await later.ticket(id, 'film'))
        return { user, url: await partial(user, film) }
      }
      const [inGrace, tooLate] = [await made(), await made()]
      const joinLater = (user: TusUser, url: string) =>
        send('POST', `${later.url}/files`, { ...user.headers, 'Upload-Concat': `final;${url}` })
      ahead = day + 60_000
      const { status, headers } = await joinLater(inGrace.user, inGrace.url)
      expect(status).toBe(201)
      const record = await later.record(headers.location ?? '')
      expect(record.late).toBe(true)
      expect(Date.parse(record.storedAt ?? '')).toBeGreaterThan(Date.parse(deadline))
      ahead = 2 * day
      expectProblem(await joinLater(tooLate.user, tooLate.url), 403, 'DEADLINE_PASSED')
    } finally {
      await later.close()
    }
  })
})
