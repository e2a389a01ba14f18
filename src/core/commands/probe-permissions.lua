--[[
Reads one key, to check whether the Redis user may run scripts.

Keys
  KEYS[1] any key of this service
Arguments none
Returns its time to live in milliseconds, negative if it has none
]]
local probeKey = KEYS[1]

return redis.call('PTTL', probeKey)
