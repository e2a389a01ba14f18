// The first record of an upload is stored, and its process dies, or Redis does not answer, before Redis was told of it:
// its event comes all the same, before the next one.

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { filmBytes } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { idOf, tusUser } from '../../support/tus.ts'

const MIB = 1024 ** 2

let stack: Environment
let lost: number
beforeAll(async () => {
  stack = await openEnvironment({})
  // This Redis has lost nothing.
  await stack.deps.rebuilder.run()
  const { index } = stack.deps
  const apply = index.apply.bind(index)
  index.apply = async (applied) => {
    if (applied.upload !== undefined && applied.announce && lost-- > 0) throw new AppError('REDIS_UNAVAILABLE')
    return await apply(applied)
  }
})
afterAll(async () => await stack.close())
beforeEach(() => {
  lost = 0
})

it.each([1, 2])('%i versions that Redis was not told of', async (versions) => {
  const bytes = filmBytes(2 * MIB, `untold ${versions}`)
  const submission = await stack.submission()
  const user = tusUser(stack.url, await stack.ticket(submission, 'film'))
  const url = await user.create({ length: bytes.length, name: 'a.mp4' })
  lost = versions
  expect((await user.patch(url, 0, bytes.subarray(0, MIB))).status).toBe(204)
  expect((await user.patch(url, MIB, bytes.subarray(MIB))).status).toBe(204)
  await stack.deps.reconciler.one(idOf(url))
  const types = (await stack.eventsOf(submission)).map(({ type }) => type).filter((type) => type.startsWith('upload.'))
  expect(types).toEqual(['upload.created', 'upload.stored'])
})
