// The Lua commands of upload sessions answer as their comments say, in any order, for holders, strangers and missing uploads.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { redisKeys } from '../../../src/records/keys.ts'
import type { UploadDraft } from '../../../src/records/upload-session.ts'
import { draftFor } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'

const HOUR_MS = 3_600_000

let stack: Environment
beforeAll(async () => {
  stack = await openEnvironment({ listens: false })
})
afterAll(() => stack.close())

const create = (draft: UploadDraft) =>
  stack.deps.hot.create(draft, { size: null, expiresAtMs: Date.now() + HOUR_MS, partBytes: 100 })
const save = (id: string, fence: string, offset: number) =>
  stack.deps.hot.saveProgress(id, fence, { offset, expiresAtMs: Date.now() + HOUR_MS })

test('for an unknown upload every command fails and creates no session', async () => {
  const { hot } = stack.deps
  const redis = stack.deps.redis.hot
  const { id } = draftFor('s1')
  expect(await hot.acquire(id, 'a', 'channel')).toEqual({ kind: 'missing' })
  expect(await save(id, 'a', 1)).toBe(false)
  expect(await hot.markInFlight(id, 'a', 1)).toBe(false)
  expect(await hot.declareLength(id, 'a', 1)).toBe(false)
  expect(await hot.endUnstored(id, 'expired', HOUR_MS)).toBe(false)
  await hot.renew([{ id, fence: 'a' }])
  await hot.release(id, 'a')
  await hot.end(id, 'stored', HOUR_MS, 1)
  expect(await redis.exists(redisKeys.hot(id), redisKeys.parts(id))).toBe(0)
})

test('random commands: only the holder changes a session, the offset never decreases, an end is final', async () => {
  const fence = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ what: fc.constant('acquire' as const), fence }),
    fc.record({ what: fc.constant('save' as const), fence, amount: fc.nat(5) }),
    fc.record({ what: fc.constant('declare' as const), fence, amount: fc.nat(2) }),
    fc.record({ what: fc.constant('mark' as const), fence }),
    fc.record({ what: fc.constant('release' as const), fence }),
    fc.record({ what: fc.constant('endUnstored' as const) }),
  )
  const { hot } = stack.deps
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const draft = draftFor('s1')
      const { id } = draft
      await create(draft)
      let model = { holder: '', offset: 0, size: null as number | null, ended: false }
      for (const one of steps) {
        const { holder, offset, size, ended } = model
        if (one.what === 'acquire') {
          const { kind } = await hot.acquire(id, one.fence, 'channel')
          const free = holder === '' || holder === one.fence
          expect(kind).toBe(ended ? 'ended' : free ? 'acquired' : 'held')
          if (kind === 'acquired') model = { ...model, holder: one.fence }
        } else if (one.what === 'save') {
          const saved = await save(id, one.fence, one.amount)
          expect(saved).toBe(holder === one.fence && one.amount >= offset)
          if (saved) model = { ...model, offset: one.amount }
        } else if (one.what === 'declare') {
          const declared = await hot.declareLength(id, one.fence, one.amount)
          expect(declared).toBe(holder === one.fence && (size === null || size === one.amount))
          if (declared) model = { ...model, size: one.amount }
        } else if (one.what === 'mark') {
          expect(await hot.markInFlight(id, one.fence, 1)).toBe(holder === one.fence)
        } else if (one.what === 'release') {
          await hot.release(id, one.fence)
          if (holder === one.fence) model = { ...model, holder: '' }
        } else {
          const nowEnded = await hot.endUnstored(id, 'cancelled', HOUR_MS)
          expect(nowEnded).toBe(!ended && holder === '' && offset === 0)
          if (nowEnded) model = { ...model, ended: true }
        }
      }
      const state = await hot.read(id)
      expect(state).toMatchObject({
        offset: model.offset,
        size: model.size,
        status: model.ended ? 'cancelled' : 'receiving',
      })
      expect(state?.holder?.fence ?? '').toBe(model.holder)
    }),
    { numRuns: 200 },
  )
})

test('after SCRIPT FLUSH scripts are sent again, singly and in a pipeline', async () => {
  const { hot } = stack.deps
  const redis = stack.deps.redis.hot
  const draft = draftFor('s1')
  await create(draft)
  await hot.acquire(draft.id, 'a', 'channel')
  await hot.renew([{ id: draft.id, fence: 'a' }])
  await redis.script('FLUSH')
  await redis.hset(redisKeys.hot(draft.id), 'lease', 1)
  await hot.renew([
    { id: draft.id, fence: 'a' },
    { id: draft.id, fence: 'stranger' },
  ])
  expect((await hot.read(draft.id))?.holder).toMatchObject({ fence: 'a' })
  await redis.script('FLUSH')
  expect(await save(draft.id, 'a', 3)).toBe(true)
})
