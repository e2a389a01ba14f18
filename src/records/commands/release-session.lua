--[[
Releases the lease of an upload.

Keys
  KEYS[1] upload session (hash)
Arguments
  ARGV[1] fence of the holder
  ARGV[2] 1: its client was gone; 0 otherwise
Returns
  1  released
  0  the lease is no longer this holder's
Atomic, because a holder that lost the lease between two commands would release its successor's.
]]
local sessionKey = KEYS[1]
local fence, clientGone = ARGV[1], ARGV[2]

if redis.call('HGET', sessionKey, session.fence) ~= fence then return 0 end
redis.call('HDEL', sessionKey, session.fence, session.holder, session.leaseUntilMs)
if clientGone == '1' then redis.call('HSET', sessionKey, session.clientGone, 1) end
return 1
