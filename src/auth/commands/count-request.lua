--[[
Counts one request of a subject against its rate limit, by the generic cell rate algorithm. It stores one number per subject: the
time at which the requests allowed so far are used up at the steady rate.

Keys
  KEYS[1] that time (string: Unix milliseconds)
Arguments
  ARGV[1] milliseconds per request at the steady rate
  ARGV[2] burst allowed, as milliseconds of requests
Returns
  0  counted
  else the milliseconds to wait; nothing was counted
Atomic, because concurrent requests must not all be compared with the same number.
]]
local earnedKey = KEYS[1]
local intervalMs, burstMs = tonumber(ARGV[1]), tonumber(ARGV[2])
--- @include "../../core/commands/includes/now-ms.lua"

local earnedMs = math.max(tonumber(redis.call('GET', earnedKey) or 0), nowMs) + intervalMs
local waitMs = earnedMs - nowMs - burstMs
if waitMs > 0 then return math.ceil(waitMs) end
redis.call('SET', earnedKey, string.format('%.3f', earnedMs), 'PX', math.ceil(earnedMs - nowMs))
return 0
