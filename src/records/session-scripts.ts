// The Redis scripts behind UploadSessionStore. Fields of the hash: d draft, size, off offset, st status, ver record version,
// pl its place (owner, submission, slot), exp expiry, sat stored at, mpu multipart id, pb part bytes, tail, fly part in flight, fence, holder, lease, run,
// rs restored from the store since anybody held it.
// Leases are timed by Redis itself, so that clocks of different machines need not agree.

import { script } from './scripts.ts'

const NOW = `local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)`

// An upload of the same fingerprint that is still receiving is joined instead of created again.
export const CREATE = script(`
${NOW}
if KEYS[4] ~= '' then
  local other = redis.call('GET', KEYS[4])
  if other and other ~= ARGV[1] and redis.call('HGET', 'sn:hot:' .. other, 'st') == 'receiving' then return other end
end
if redis.call('EXISTS', KEYS[1]) == 1 then return '' end
redis.call('HSET', KEYS[1], 'd', ARGV[2], 'size', ARGV[3], 'off', 0, 'st', 'receiving', 'ver', 0, 'exp', ARGV[4],
  'pb', ARGV[5], 'run', ARGV[6], 'pl', ARGV[9])
if ARGV[10] ~= '' then redis.call('HSET', KEYS[1], 'fence', ARGV[10], 'holder', ARGV[11], 'lease', now + ARGV[12]) end
redis.call('PEXPIREAT', KEYS[1], ARGV[4] + 3600000)
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
if ARGV[8] ~= '' then redis.call('ZADD', KEYS[3], ARGV[7], ARGV[1]) end
if KEYS[4] ~= '' then redis.call('SET', KEYS[4], ARGV[1], 'PXAT', ARGV[4]) end
return ''
`)

export const ACQUIRE = script(`
${NOW}
local u = redis.call('HMGET', KEYS[1], 'st', 'fence', 'lease', 'off', 'run', 'holder')
if not u[1] then return {'missing'} end
local function answer(kind, extra) return {kind, redis.call('HGETALL', KEYS[1]), extra} end
if ARGV[7] ~= '' and redis.call('HGET', KEYS[1], 'pl') ~= ARGV[7] then return answer('scope') end
if u[1] ~= 'receiving' then return answer('ended') end
local trusted = u[5] == ARGV[6]
if ARGV[4] ~= '' and trusted and ARGV[4] ~= u[4] then return answer('offset') end
local taken = u[2] and u[2] ~= ''
if taken and u[2] ~= ARGV[1] and tonumber(u[3] or 0) > now and u[2] ~= ARGV[5] then return answer('held') end
local unclean = taken and u[2] ~= ARGV[1]
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'holder', ARGV[2], 'lease', now + ARGV[3])
local acquired = answer('ok', unclean and (u[6] or '?') or '')
acquired[4] = tostring(now)
redis.call('HDEL', KEYS[1], 'rs')
return acquired
`)

export const COMMIT = script(`
${NOW}
local u = redis.call('HMGET', KEYS[1], 'fence', 'st', 'off')
if u[1] ~= ARGV[2] then return 0 end
local n = tonumber(ARGV[6])
local finishing = false
for i = 7, 6 + n, 2 do if ARGV[i] == 'st' then finishing = true end end
if u[2] ~= 'receiving' and not (u[2] == 'finishing' and finishing) then return 0 end
if tonumber(u[3]) > tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], 'lease', now + ARGV[5], unpack(ARGV, 7, 6 + n))
for i = 7 + n, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', KEYS[1], ARGV[4] + 3600000)
redis.call('PEXPIREAT', KEYS[2], ARGV[4] + 3600000)
redis.call('ZADD', KEYS[3], finishing and now + 5000 or ARGV[4], ARGV[1])
return 1
`)

export const SET_FENCED = script(`
${NOW}
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'lease', now + ARGV[2])
if ARGV[3] ~= '' then redis.call('HSET', KEYS[1], 'fly', ARGV[3] .. ':' .. now) end
return 1
`)

export const DECLARE = script(`
local u = redis.call('HMGET', KEYS[1], 'fence', 'size')
if u[1] ~= ARGV[1] then return 0 end
if u[2] ~= '' and u[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'size', ARGV[2])
return 1
`)

export const RELEASE = script(`
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'fence', 'holder', 'lease')
return 1
`)

export const END = script(`
local st = redis.call('HGET', KEYS[1], 'st')
if not st then return 0 end
redis.call('HSET', KEYS[1], 'st', ARGV[2])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'off', ARGV[4], 'size', ARGV[4]) end
redis.call('HDEL', KEYS[1], 'fence', 'holder', 'lease', 'fly')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
`)

export const END_UNSTORED = script(`
${NOW}
local u = redis.call('HMGET', KEYS[1], 'st', 'ver', 'off', 'fence', 'lease')
if u[1] ~= 'receiving' or tonumber(u[2] or 0) > 0 or tonumber(u[3] or 0) > 0 then return 0 end
if u[4] and u[4] ~= '' and tonumber(u[5] or 0) > now then return 0 end
redis.call('HSET', KEYS[1], 'st', ARGV[2])
redis.call('HDEL', KEYS[1], 'fence', 'holder', 'lease')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
`)

// Without a fence only an absent, outdated or restored entry is replaced, and not by less: its holder, or another who
// asked the store, has meanwhile got further. The holder of the fence may always correct its own.
export const RESTORE = script(`
local u = redis.call('HMGET', KEYS[1], 'fence', 'run', 'off', 'rs')
local n = tonumber(ARGV[5])
if ARGV[2] ~= '' then
  if u[1] ~= ARGV[2] then return 0 end
elseif u[2] == ARGV[3] and not u[4] then return 0
elseif (u[1] or u[4]) and u[3] then
  for i = 6, 5 + n, 2 do
    if ARGV[i] == 'off' and tonumber(ARGV[i + 1]) < tonumber(u[3]) then return 0 end
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 6, 5 + n))
if ARGV[2] == '' then redis.call('HSET', KEYS[1], 'rs', 1) end
redis.call('DEL', KEYS[2])
for i = 6 + n, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', KEYS[1], ARGV[4] + 3600000)
redis.call('PEXPIREAT', KEYS[2], ARGV[4] + 3600000)
redis.call('ZADD', KEYS[3], 'NX', ARGV[4], ARGV[1])
return 1
`)
