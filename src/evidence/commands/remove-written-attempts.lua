--[[
Removes attempts that are now in the store from the waiting list.

Keys
  KEYS[1] waiting attempts of the submission (list of JSON)
  KEYS[2] submissions with waiting attempts (sorted set: portal/submission by when to write them)
Arguments
  ARGV[1] portal/submission
  ARGV[2] time, Unix milliseconds
  ARGV[3] first attempt that was written (JSON)
  ARGV[4] number of attempts that were written
Returns 1
Atomic, because attempts added between the commands would be removed, or the list would be missing in the set of lists to write.
]]
local listKey, dueKey = KEYS[1], KEYS[2]
local submission, nowMs, firstWritten, writtenCount = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

-- If the list begins with another attempt, another process has written and removed these.
if redis.call('LINDEX', listKey, 0) == firstWritten then redis.call('LTRIM', listKey, writtenCount, -1) end
if redis.call('EXISTS', listKey) == 0 then
  redis.call('ZREM', dueKey, submission)
else
  redis.call('ZADD', dueKey, nowMs + 1, submission)
end
return 1
