// A page that changes a word many times: what the store keeps of the versions of a submission, and that nothing is
// lost by it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import { versionKey } from '../../../src/records/version-log.ts'
import { type Environment, OWNER, openEnvironment } from '../../support/environment.ts'
import { overBothStores } from '../../support/over-both-stores.ts'

const CHANGES = 40
/** Nearly all that a body may have. */
const METADATA = { note: 'ก'.repeat(70_000) }

overBothStores((store) => {
  let stack: Environment
  let id: string
  let profile: string

  beforeAll(async () => {
    stack = await openEnvironment({ store, listens: false })
    id = await stack.submission({ profile: 'tiny@1', metadata: METADATA })
    profile = String((await stack.call('GET', `/v1/submissions/${id}`)).body['profile'])
    for (let n = 1; n <= CHANGES; n++) {
      const answer = await stack.call('PATCH', `/v1/submissions/${id}/slots/plan`, {
        body: { metadata: { plannedMinutes: n } },
      })
      expect(answer.status).toBe(200)
    }
  })
  afterAll(() => stack.close())

  const prefix = () => objectKeys.submission(OWNER, id)
  const sizes = async () => {
    const found: number[] = []
    for await (const { bytes } of stack.deps.store.list(prefix())) found.push(bytes)
    return found
  }

  describe('forty small changes of a submission with much metadata', () => {
    it('need at most ten times its size, plus a little for each', async () => {
      const all = await sizes()
      expect(all.length).toBe(CHANGES + 1)
      const large = all.filter((bytes) => bytes > 200_000)
      // Ten, and the first one.
      expect(large.length).toBeLessThanOrEqual(11)
      for (const bytes of all) if (!large.includes(bytes)) expect(bytes).toBeLessThan(2000)
    })

    it('are all in the document, also after a loss of Redis', async () => {
      const check = async () => {
        const { body } = await stack.call('GET', `/v1/submissions/${id}`)
        const { slots } = body as unknown as { slots: { slot: string; metadata: object }[] }
        expect(slots.find(({ slot }) => slot === 'plan')?.metadata).toMatchObject({ plannedMinutes: CHANGES })
      }
      await check()
      await stack.deps.heads.rebuild(OWNER, id)
      await check()
      const head = await stack.deps.heads.fromStore(OWNER, id)
      expect(head).toMatchObject({ version: CHANGES + 1, metadata: METADATA })
      expect(head?.shortened).toBeUndefined()
    })

    it('leave no free version number for a delayed writer', async () => {
      const old = versionKey(prefix(), 5)
      expect(await stack.deps.store.createIfAbsent(old, Buffer.from('{}'))).toBe(false)
      const history = await stack.deps.heads.history(OWNER, id, 0)
      expect(history.map(({ version }) => version)).toEqual(Array.from({ length: CHANGES + 1 }, (_, n) => n + 1))
      expect(history[4]).toMatchObject({ shortened: true, owner: OWNER, id, metadata: {}, profile })
      expect(history[0]).toMatchObject({ metadata: METADATA })
    })

    it('are told to a Redis that knows only an old one, without what was taken out', async () => {
      const head = await stack.deps.heads.fromStore(OWNER, id)
      await stack.deps.redis.hot.del(`sn:head:${OWNER}/${id}`)
      if (head !== undefined) await stack.deps.heads.announce(head)
      expect(await stack.deps.heads.latest(OWNER, id)).toMatchObject({ metadata: METADATA })
    })
  })
})
