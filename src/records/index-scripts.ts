// The Redis scripts behind RecordIndex. Each is one step, so that a crash leaves nothing half told.

import { redisKeys } from './keys.ts'
import { script } from './scripts.ts'

export const EVENT_DAYS = 7
export const SUBMISSION_EVENTS_MAX = 1000

/** Lua: the event into its portal's stream (KEYS[first]) and its submission's (the next key), and to whoever listens. */
function addToStreams(event: string, nowMs: string, submissionId: string, first = 2): string {
  const [portal, submission] = [`KEYS[${first}]`, `KEYS[${first + 1}]`]
  return `redis.call('XADD', ${portal}, 'MINID', '~', tonumber(${nowMs}) - ${EVENT_DAYS} * 86400000, '*', 'e', ${event}, 's', ${submissionId})
  redis.call('XADD', ${submission}, 'MAXLEN', '~', ${SUBMISSION_EVENTS_MAX}, '*', 'e', ${event})
  redis.call('PEXPIRE', ${submission}, ${EVENT_DAYS} * 86400000)
  redis.call('PUBLISH', '${redisKeys.live}', ${event})`
}

// The cache (v, run, json) and what was announced (a) are kept apart: a reader that refreshes the cache must not
// silence the event of a version whose committer has not announced it yet.
// 'old': announced before. 'gap': an earlier version was never announced; announce that one first. 'ok'.
export const APPLY = script(`
local version = tonumber(ARGV[1])
local known = redis.call('HMGET', KEYS[1], 'v', 'run', 'a')
local announce = ARGV[9] == '1'
local announced = tonumber(known[3] or (version - 1))
if announce and announced >= version then announce = false
elseif announce and announced < version - 1 then return 'gap' end
if not (known[1] and known[2] == ARGV[2] and tonumber(known[1]) >= version) then
  redis.call('HSET', KEYS[1], 'v', version, 'run', ARGV[2], 'json', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  if ARGV[6] ~= '' then
    if ARGV[8] == '' then redis.call('ZREM', KEYS[2], ARGV[6]) else redis.call('ZADD', KEYS[2], ARGV[8], ARGV[6]) end
    if ARGV[10] ~= '' then redis.call('ZADD', KEYS[3], ARGV[7], ARGV[6]) end
  end
  if ARGV[10] ~= '' then
    redis.call('SADD', KEYS[7], ARGV[11])
    if ARGV[13] == '1' then redis.call('ZREM', KEYS[4], ARGV[10])
    elseif ARGV[6] == '' then redis.call('ZADD', KEYS[4], 'GT', ARGV[15], ARGV[10]) end
  end
end
-- Also where the version is known already: it may have been read before its submission was in the list.
if ARGV[10] ~= '' and ARGV[6] ~= '' and redis.call('ZSCORE', KEYS[4], ARGV[10]) then
  redis.call('ZADD', KEYS[4], 'GT', ARGV[15], ARGV[10])
end
if KEYS[8] ~= '' then redis.call('SET', KEYS[8], ARGV[6], 'PX', ARGV[4], 'NX') end
if ARGV[14] == '1' and not known[3] or ARGV[14] == '2' and tonumber(known[3] or 0) < version then
  redis.call('HSET', KEYS[1], 'a', version)
end
if not announce then return 'old' end
redis.call('HSET', KEYS[1], 'a', version)
if ARGV[12] ~= '' then
  ${addToStreams('ARGV[12]', 'ARGV[5]', 'ARGV[10]', 5)}
end
return 'ok'
`)

export const NEXT_SEQUENCE = script(`
local known = redis.call('HMGET', KEYS[1], 'n', 'run')
if not known[1] or known[2] ~= ARGV[1] then return -1 end
return redis.call('HINCRBY', KEYS[1], 'n', 1)
`)

export const SEED_SEQUENCE = script(`
local known = redis.call('HMGET', KEYS[1], 'n', 'run')
local floor = tonumber(ARGV[2])
if known[1] and tonumber(known[1]) > floor then floor = tonumber(known[1]) end
redis.call('HSET', KEYS[1], 'n', floor, 'run', ARGV[1])
return floor
`)

// An event that no version of an upload or a head stands for, by the version of its own record: told once, in order.
export const NEWS = script(`
local version = tonumber(ARGV[1])
local known = tonumber(redis.call('HGET', KEYS[1], 'news') or (version - 1))
local announce = ARGV[5] == '1'
if announce and known < version - 1 then return 'gap' end
local newer = tonumber(redis.call('HGET', KEYS[1], 'announced') or 0) <= tonumber(ARGV[3])
if newer then redis.call('HSET', KEYS[1], 'complete', ARGV[2], 'announced', ARGV[3]) end
if known >= version then return 'old' end
if announce or ARGV[6] == '1' then redis.call('HSET', KEYS[1], 'news', version) end
if not announce then return 'ok' end
${addToStreams('ARGV[4]', 'ARGV[7]', 'ARGV[8]')}
return 'ok'
`)
