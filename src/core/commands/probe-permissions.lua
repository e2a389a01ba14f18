--[[
Reads one key, to see whether the user may run scripts.

Keys
  KEYS[1] any key of this service
Arguments none
Returns its time to live in milliseconds, negative where there is none
]]
local probeKey = KEYS[1]

return redis.call('PTTL', probeKey)
