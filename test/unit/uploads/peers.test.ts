// How long processes wait for each other, in a time that is played.

import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import type { RedisConnection } from '../../../src/core/redis.ts'
import { type Holder, Peers } from '../../../src/uploads/peers.ts'

const HOLDER = { id: 'an-upload', fence: 'a-fence' }
const never = () => new Promise<never>(() => undefined)

/** Redis, as far as one is heard by all. */
function played(): RedisConnection {
  const redis = new EventEmitter()
  const publish = async (channel: string, message: string) => redis.emit('message', channel, message)
  return Object.assign(redis, { publish, subscribe: async () => 1 }) as unknown as RedisConnection
}

let one: Peers
let two: Peers

beforeEach(async () => {
  vi.useFakeTimers()
  const redis = played()
  const logger = createLogger({ name: 'test', level: 'silent' })
  one = new Peers(redis, redis, logger)
  two = new Peers(redis, redis, logger)
  for (const peers of [one, two]) await peers.start()
})
afterEach(() => vi.useRealTimers())

/** After how many milliseconds the question is given up, and as what. */
async function givenUp(asking: Peers, what: 'flush' | 'yield') {
  const startedMs = Date.now()
  let ended: { ms: number; unresponsive: boolean; timedOut: boolean } | undefined
  void asking.ask(what, HOLDER.id, HOLDER.fence, one.channel).then(({ unresponsive, timedOut }) => {
    ended = { ms: Date.now() - startedMs, unresponsive, timedOut }
  })
  await vi.advanceTimersByTimeAsync(60_000)
  return ended
}

describe.each(['the same machine', 'another machine'])('asked at %s', (where) => {
  const asking = () => (where === 'another machine' ? two : one)

  it('a holder that is storing is waited for longer by HEAD than by those who want its place', async () => {
    const holder: Holder = { ...HOLDER, flush: never, yield: never }
    one.add(holder)
    expect(await givenUp(asking(), 'flush')).toEqual({ ms: 5000, unresponsive: true, timedOut: true })
    expect(await givenUp(asking(), 'yield')).toEqual({ ms: 2000, unresponsive: true, timedOut: true })
  })

  it('a holder that is not there is not waited for', async () => {
    expect(await givenUp(asking(), 'flush')).toEqual({ ms: 100, unresponsive: true, timedOut: false })
  })
})
