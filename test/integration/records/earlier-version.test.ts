// A rolling upgrade: what the version before wrote, this one reads and goes on with; and what this one writes into a session,
// the version before can read.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LANES } from '../../../src/jobs/contract.ts'
import { redisKeys } from '../../../src/records/keys.ts'
import { earlierVersion, HALF_SENT, pdfs, putIntoRedis, putIntoStore, runIdOf } from '../../support/earlier-version.ts'
import { openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startRedis } from '../../support/redis.ts'
import { tusUser } from '../../support/tus.ts'

/** Fields of an upload session as they were first named. */
const SESSION_FIELDS_BEFORE = new Set(
  'd size off st ver pl exp sat mpu pb tail fly fence holder lease run rs'.split(' '),
)
const ANOTHER_RUN = 'f'.repeat(40)

describe.each(['as it was', 'of another run', 'empty'])('with a Redis that is %s', (state) => {
  test('records, lists, attempts and open uploads of the previous version are read and can be continued', async ({
    onTestFinished,
  }) => {
    const redis = await startRedis({ appendOnly: true })
    onTestFinished(() => redis.stop())
    const before = await earlierVersion(state === 'as it was' ? await runIdOf(redis) : ANOTHER_RUN)
    const { good, half, unjudged, empty } = before.uploads
    // An upload without a byte lives in Redis only.
    const kept = (text: string) => state !== 'empty' || !text.includes(empty.id)
    if (state !== 'empty') await putIntoRedis(redis, before.redis)
    const dataDir = await mkdtemp(join(tmpdir(), 'songngan-earlier-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    await putIntoStore(dataDir, before)
    const stack = await openEnvironment({ redis, dataDir, lanes: LANES.join() })
    onTestFinished(() => stack.close())
    await stack.deps.rebuilder.heal()

    for (const [path, then] of Object.entries(before.answers)) {
      const text = JSON.stringify(then).replaceAll('ORIGIN', stack.url)
      if (!kept(text)) continue
      const { status, body } = await stack.call('GET', path)
      expect({ path, status, body }).toMatchObject({ path, status: 200, body: JSON.parse(text) })
    }
    const verified = await stack.call('POST', '/v1/receipts/verify', { body: { receipt: before.jws } })
    expect(verified).toMatchObject({ status: 200, body: { valid: true, claims: { upload: good.id } } })

    const user = tusUser(stack.url, await stack.ticket('running', 'outcome'))
    const urlOf = ({ id }: { id: string }) => `${stack.url}/files/${id}`
    expect(await user.offset(urlOf(half))).toBe(HALF_SENT)
    expect((await user.patch(urlOf(half), HALF_SENT, pdfs.half.subarray(HALF_SENT))).status).toBe(204)
    if (kept(empty.id)) expect((await user.patch(urlOf(empty), 0, pdfs.empty)).status).toBe(204)
    else expect((await user.head(urlOf(empty))).status).toBe(404)

    await stack.start()
    for (const { id } of [half, unjudged, empty].filter((upload) => kept(upload.id)))
      await waitFor(async () => (await stack.call('GET', `/v1/uploads/${id}`)).body['state'] === 'ready', {
        what: `${id} to be judged and made ready`,
      })

    const session = await stack.deps.redis.hot.hgetall(redisKeys.hot(half.id))
    expect(session).toMatchObject({ st: 'stored', off: String(half.bytes) })
    expect(Object.keys(session).filter((field) => !SESSION_FIELDS_BEFORE.has(field))).toEqual([])
  })
})
