--[[
Finds the jobs of a queue of which one waits longest. BullMQ keeps waiting jobs in two places: the list `wait`, whose last entry is
the oldest, and the sorted set `prioritized`, scored priority * 2^32 + counter. So the first entry of each priority is its oldest, and
the next priority begins at the next multiple of 2^32.

Keys
  KEYS[1] waiting jobs (list of job ids)
  KEYS[2] waiting jobs with a priority (sorted set of job ids)
Arguments none
Returns their ids
Atomic, because if a job is started between the commands, it and those after it would be missed.
]]
local waitKey, prioritizedKey = KEYS[1], KEYS[2]
-- A priority grows with the time of arrival, cost, deadline and number of files: src/lifecycle/job-priority.ts.
local MAX_PRIORITIES, PRIORITY_STEP = 2000, 4294967296

local jobIds = {redis.call('LINDEX', waitKey, -1) or nil}
local fromScore = '-inf'
for _ = 1, MAX_PRIORITIES do
  local first = redis.call('ZRANGEBYSCORE', prioritizedKey, fromScore, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local jobId, score = first[1], first[2]
  if not jobId then break end
  jobIds[#jobIds + 1] = jobId
  fromScore = string.format('%.0f', (math.floor(tonumber(score) / PRIORITY_STEP) + 1) * PRIORITY_STEP)
end
return jobIds
