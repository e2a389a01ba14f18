// How many uploads are under way and what they still have to send, counted where Redis keeps them.

import { commandLoader, run } from '../core/lua-commands.ts'
import type { RedisConnection } from '../core/redis.ts'
import { redisKeys } from './keys.ts'
import { SESSION_FIELDS } from './stored-fields.ts'

/** Looked at in one step: Redis does nothing else meanwhile. */
const STEP = 1000
const MAX_LOOKED_AT = 100_000

const countOpen = commandLoader(new URL('./commands/', import.meta.url), { session: SESSION_FIELDS })(
  'count-open-uploads',
)

type CountAnswer = [looked: number, open: number, left: string, paused: number, unsettled: number]

export type OpenUploads = {
  /** Begun, last byte not here yet. */
  open: number
  /** Of them: nobody is sending at this moment. */
  paused: number
  /** Bytes that they have declared and not sent. */
  bytesLeft: number
  /** All bytes here, something still to be done. */
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
