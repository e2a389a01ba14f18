--[[
Rate limit for wrong credentials, per address and per account, by the generic cell rate algorithm. It stores one number each:
the time at which all wrong attempts so far are forgiven.

Keys
  KEYS[1] that time for the address, or for the caller itself (string: Unix milliseconds)
  KEYS[2] that time for the account (the same)
Arguments
  ARGV[1] milliseconds after which one wrong attempt of an address is forgiven
  ARGV[2] the same for an account
  ARGV[3] burst allowed, as milliseconds of attempts
  ARGV[4] 1 if the credential is wrong: the attempt is counted; 0: nothing is written
Returns
  0  both are below their limit
  else the milliseconds to wait, for wrong and right credentials alike; nothing was counted
Atomic, because concurrent attempts must not all be compared with the same numbers.
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
