--[[
Renews the lease of an upload and, if a part is given, marks it as in flight to the bucket.

Keys
  KEYS[1] upload session (hash)
Arguments
  ARGV[1] fence of the holder
  ARGV[2] length of the lease, milliseconds
  ARGV[3] number of the part; '' for none
Returns
  1  renewed
  0  the lease is no longer this holder's
Atomic, because a holder that lost the lease between two commands would renew its successor's.
]]
local sessionKey = KEYS[1]
local fence, leaseMs, partNumber = ARGV[1], ARGV[2], ARGV[3]
--- @include "../../core/commands/includes/now-ms.lua"

if redis.call('HGET', sessionKey, session.fence) ~= fence then return 0 end
redis.call('HSET', sessionKey, session.leaseUntilMs, nowMs + leaseMs)
if partNumber ~= '' then redis.call('HSET', sessionKey, session.inFlight, partNumber .. ':' .. nowMs) end
return 1
