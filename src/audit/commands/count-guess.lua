--[[
Judges one attempt with a credential against the two that it is counted by (its address, and the account that it names), by the
generic cell rate algorithm: one number each, the time at which all wrong attempts so far will have been forgiven.

Keys
  KEYS[1] that time of the address, or of the caller itself (string: Unix milliseconds)
  KEYS[2] that time of the account (the same)
Arguments
  ARGV[1] milliseconds in which an address is forgiven one wrong attempt
  ARGV[2] milliseconds in which an account is
  ARGV[3] milliseconds whose wrong attempts may come all at once
  ARGV[4] 1 if the credential is wrong: it is counted; 0: nothing is written
Returns
  0  there is room in both
  else the milliseconds to wait, for wrong and right credentials alike; nothing was counted
Atomic, because attempts that come at once must not all be measured by the same numbers.
]]
local sourceKey, accountKey = KEYS[1], KEYS[2]
local sourceIntervalMs, accountIntervalMs, burstMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local isWrong = ARGV[4] == '1'
--- @include "../../core/commands/includes/now-ms.lua"

local function forgivenAt(key, intervalMs)
  return math.max(tonumber(redis.call('GET', key) or 0), nowMs) + intervalMs
end

local sourceMs, accountMs = forgivenAt(sourceKey, sourceIntervalMs), forgivenAt(accountKey, accountIntervalMs)
local waitMs = math.max(sourceMs, accountMs) - nowMs - burstMs
if waitMs > 0 then return math.ceil(waitMs) end
if isWrong then
  redis.call('SET', sourceKey, string.format('%.3f', sourceMs), 'PX', math.ceil(sourceMs - nowMs))
  redis.call('SET', accountKey, string.format('%.3f', accountMs), 'PX', math.ceil(accountMs - nowMs))
end
return 0
