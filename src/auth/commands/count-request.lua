--[[
Counts one request of a subject against its rate, by the generic cell rate algorithm: one number a subject, the time at which
all that it was allowed so far will have been earned.

Keys
  KEYS[1] that time (string: Unix milliseconds)
Arguments
  ARGV[1] milliseconds in which one request is earned
  ARGV[2] milliseconds whose requests may come all at once
Returns
  0  counted
  else the milliseconds to wait; nothing was counted
Atomic, because requests that come at once must not all be measured by the same number.
]]
local earnedKey = KEYS[1]
local intervalMs, burstMs = tonumber(ARGV[1]), tonumber(ARGV[2])
--- @include "../../core/commands/includes/now-ms.lua"

local earnedMs = math.max(tonumber(redis.call('GET', earnedKey) or 0), nowMs) + intervalMs
local waitMs = earnedMs - nowMs - burstMs
if waitMs > 0 then return math.ceil(waitMs) end
redis.call('SET', earnedKey, string.format('%.3f', earnedMs), 'PX', math.ceil(earnedMs - nowMs))
return 0
