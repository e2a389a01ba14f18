--[[
Declares the length of an upload whose length was deferred, once; the same length again changes nothing.

Keys
  KEYS[1] upload session (hash)
Arguments
  ARGV[1] fence of the holder
  ARGV[2] length, bytes
Returns
  1  this length is declared
  0  the lease is no longer this holder's, or another length is declared
Atomic, because of two requests that declare different lengths one must fail.
]]
local sessionKey = KEYS[1]
local fence, length = ARGV[1], ARGV[2]

local known = redis.call('HMGET', sessionKey, session.fence, session.size)
local knownFence, knownLength = known[1], known[2]
if knownFence ~= fence then return 0 end
if knownLength ~= '' and knownLength ~= length then return 0 end
redis.call('HSET', sessionKey, session.size, length)
return 1
