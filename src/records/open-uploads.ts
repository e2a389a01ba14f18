// Counts running uploads and their remaining bytes, inside Redis.

import { commandLoader, run } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeys } from './keys.ts'
import { SESSION_FIELDS } from './stored-fields.ts'

/** Entries per step; Redis is blocked meanwhile. */
const STEP = 1000
const MAX_LOOKED_AT = 100_000

const countOpen = commandLoader(new URL('./commands/', import.meta.url), { session: SESSION_FIELDS })(
  'count-open-uploads',
)

type CountAnswer = [looked: number, open: number, left: string, paused: number, unsettled: number]

export type OpenUploads = {
  /** Started, last byte not received. */
  open: number
  /** Of them: nobody is sending now. */
  paused: number
  /** Declared bytes that are not yet received. */
  bytesLeft: number
  /** All bytes received, processing not finished. */
  unsettled: number
}

export async function countOpenUploads(redis: RedisConnection): Promise<OpenUploads> {
  const total: OpenUploads = { open: 0, paused: 0, bytesLeft: 0, unsettled: 0 }
  for (let from = 0; from < MAX_LOOKED_AT; from += STEP) {
    const answer = (await run(
      redis,
      countOpen,
      [redisKeys.due],
      [from, from + STEP - 1, redisKeys.hot('')],
    )) as CountAnswer
    const [looked, open, left, paused, unsettled] = answer
    total.open += open
    total.bytesLeft += Number(left)
    total.paused += paused
    total.unsettled += unsettled
    if (looked < STEP) break
  }
  return total
}
