// Counts unfinished uploads and their remaining bytes, inside Redis: all of them, or those of a person.

import { commandLoader, run } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeys } from './keys.ts'
import { SESSION_FIELDS } from './stored-fields.ts'

/** Entries per step; Redis is blocked meanwhile. */
const STEP = 1000
const MAX_LOOKED_AT = 100_000

const command = commandLoader(new URL('./commands/', import.meta.url), { session: SESSION_FIELDS })
const countOpen = command('count-open-uploads')
const countOfPerson = command('count-open-of-person')

type CountAnswer = [looked: number, open: number, left: string, paused: number, unsettled: number, promised: string]

export type OpenUploads = {
  /** Started, last byte not received. */
  open: number
  /** Of them: nobody is sending now. */
  paused: number
  /** Declared bytes that are not yet received. */
  bytesLeft: number
  /** Of them: of uploads that were created, or got a byte, lately. */
  bytesPromised: number
  /** All bytes received, processing not finished. */
  unsettled: number
}

/**
 * @param movedSinceMs uploads that expire from then on have moved lately: each byte puts the expiry off
 * @throws REDIS_UNAVAILABLE
 */
export async function countOpenUploads(redis: RedisConnection, movedSinceMs = 0): Promise<OpenUploads> {
  const total: OpenUploads = { open: 0, paused: 0, bytesLeft: 0, bytesPromised: 0, unsettled: 0 }
  for (let from = 0; from < MAX_LOOKED_AT; from += STEP) {
    const answer = (await run(
      redis,
      countOpen,
      [redisKeys.due],
      [from, from + STEP - 1, redisKeys.hot(''), movedSinceMs],
    )) as CountAnswer
    const [looked, open, left, paused, unsettled, promised] = answer
    total.open += open
    total.bytesLeft += Number(left)
    total.bytesPromised += Number(promised)
    total.paused += paused
    total.unsettled += unsettled
    if (looked < STEP) break
  }
  return total
}

/**
 * Unfinished uploads of a person, and the bytes that they have declared and not sent. Throws REDIS_UNAVAILABLE.
 *
 * @param person see personName
 */
export async function countOpenOfPerson(
  redis: RedisConnection,
  owner: string,
  person: string,
): Promise<Pick<OpenUploads, 'open' | 'bytesLeft'>> {
  const key = redisKeys.openOf(owner, person)
  const [open, bytesLeft] = (await run(redis, countOfPerson, [key], [redisKeys.hot('')])) as [number, string]
  return { open, bytesLeft: Number(bytesLeft) }
}
