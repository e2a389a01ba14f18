--[[
Leases submissions whose waiting attempts are to be written now. During the lease no other process gets them.

Keys
  KEYS[1] submissions with waiting attempts (sorted set: portal/submission by when to write them)
Arguments
  ARGV[1] time, Unix milliseconds
  ARGV[2] when another process may take over, Unix milliseconds
  ARGV[3] how many at most
Returns the submissions
Atomic, because two concurrent processes would write the same attempts.
]]
local dueKey = KEYS[1]
local nowMs, leaseEndsMs, limit = ARGV[1], ARGV[2], ARGV[3]

local submissions = redis.call('ZRANGEBYSCORE', dueKey, '-inf', nowMs, 'LIMIT', 0, limit)
for _, submission in ipairs(submissions) do redis.call('ZADD', dueKey, leaseEndsMs, submission) end
return submissions
