--[[
Appends attempts to the list of their submission, up to its maximum length.

Keys
  KEYS[1] waiting attempts of the submission (list of JSON)
  KEYS[2] submissions with waiting attempts (sorted set: portal/submission by when to write them)
Arguments
  ARGV[1] portal/submission
  ARGV[2] time, Unix milliseconds
  ARGV[3] how many attempts the list may hold
  ARGV[4] … attempts (JSON)
Returns the number of attempts left out
Atomic, because the list could grow beyond its maximum, or be missing in the set of lists to write.
]]
local listKey, dueKey = KEYS[1], KEYS[2]
local submission, nowMs, maxWaiting = ARGV[1], ARGV[2], tonumber(ARGV[3])
local firstAttempt = 4

local room = math.max(0, maxWaiting - redis.call('LLEN', listKey))
local given = #ARGV - firstAttempt + 1
for i = firstAttempt, firstAttempt + math.min(room, given) - 1 do redis.call('RPUSH', listKey, ARGV[i]) end
redis.call('ZADD', dueKey, 'NX', nowMs, submission)
return math.max(0, given - room)
