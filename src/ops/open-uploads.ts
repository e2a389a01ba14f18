// How many uploads are under way and what they still have to send, counted where Redis keeps them.

import type { RedisConnection } from '../core/redis.ts'
import { redisKeys } from '../records/keys.ts'
import { run, script } from '../records/scripts.ts'

/** Looked at in one step: Redis does nothing else meanwhile. */
const STEP = 1000
const MAX_LOOKED_AT = 100_000

// Whatever is unfinished stands in `due`, by when to look at it again.
const COUNT = script(`
local ids = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2])
local open, left, silent, working = 0, 0, 0, 0
for _, id in ipairs(ids) do
  local u = redis.call('HMGET', '${redisKeys.hot('')}' .. id, 'st', 'size', 'off', 'fence')
  if u[1] == 'receiving' then
    open = open + 1
    if u[2] and u[2] ~= '' then left = left + tonumber(u[2]) - tonumber(u[3] or 0) end
    if not u[4] or u[4] == '' then silent = silent + 1 end
  else working = working + 1 end
end
return {#ids, open, string.format('%.0f', left), silent, working}
`)

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
    const answer = (await run(redis, COUNT, [redisKeys.due], [from, from + STEP - 1])) as CountAnswer
    const [looked, open, left, paused, unsettled] = answer
    total.open += open
    total.bytesLeft += Number(left)
    total.paused += paused
    total.unsettled += unsettled
    if (looked < STEP) break
  }
  return total
}
