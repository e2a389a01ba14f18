--[[
Returns since when the oldest of some jobs waits. A retried job waits since its last attempt began.

Keys
  KEYS[1] … jobs (hashes)
Arguments none
Returns Unix milliseconds as a string; '' if there is none of them
Atomic, because jobs that are started meanwhile should not change the answer.
]]
local oldestMs
for _, jobKey in ipairs(KEYS) do
  local times = redis.call('HMGET', jobKey, 'timestamp', 'processedOn')
  local sinceMs = math.max(tonumber(times[1] or 0), tonumber(times[2] or 0))
  if sinceMs > 0 and (not oldestMs or sinceMs < oldestMs) then oldestMs = sinceMs end
end
return oldestMs and string.format('%.0f', oldestMs) or ''
