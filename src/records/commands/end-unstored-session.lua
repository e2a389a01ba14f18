--[[
Ends an upload without stored bytes, which therefore has no record.

Keys
  KEYS[1] upload session (hash)
  KEYS[2] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] upload id
  ARGV[2] status: expired or cancelled
  ARGV[3] how long the session is kept, milliseconds
Returns
  1  ended
  0  Redis does not know it, it has ended, a byte or a record exists, or a request holds it
Atomic, because a byte that is saved between the check and the end would be lost.
]]
local sessionKey, dueKey = KEYS[1], KEYS[2]
local uploadId, status, keepMs = ARGV[1], ARGV[2], ARGV[3]
--- @include "../../core/commands/includes/now-ms.lua"

local known = redis.call('HMGET', sessionKey, session.status, session.version, session.offset, session.fence,
  session.leaseUntilMs)
local knownStatus, version, offset, fence, leaseUntilMs = known[1], known[2], known[3], known[4], known[5]
if knownStatus ~= 'receiving' then return 0 end
if tonumber(version or 0) > 0 or tonumber(offset or 0) > 0 then return 0 end
if fence and fence ~= '' and tonumber(leaseUntilMs or 0) > nowMs then return 0 end

redis.call('HSET', sessionKey, session.status, status)
redis.call('HDEL', sessionKey, session.fence, session.holder, session.leaseUntilMs)
redis.call('PEXPIRE', sessionKey, keepMs)
redis.call('ZREM', dueKey, uploadId)
return 1
