--[[
Tells since when the oldest job of a queue waits. BullMQ keeps waiting jobs in two places: the list `wait`, whose oldest is
its last, and the sorted set `prioritized`, scored priority * 2^32 + counter. So the oldest of each priority is its first, and
the next priority begins at the next multiple of 2^32. A job that was tried before waits since its last attempt began.

Keys
  KEYS[1] waiting jobs (list of job ids)
  KEYS[2] waiting jobs with a priority (sorted set of job ids)
  KEYS[3] what the keys of jobs begin with
Arguments none
Returns Unix milliseconds as a string; '' where no job waits
Atomic, because a job that is taken between the commands would be missed together with those behind it.
]]
local waitKey, prioritizedKey, jobPrefix = KEYS[1], KEYS[2], KEYS[3]
-- A priority grows with the time of arrival, cost, deadline and number of files: src/lifecycle/job-priority.ts.
local MAX_PRIORITIES, PRIORITY_STEP = 2000, 4294967296

local oldestMs
local function consider(jobId)
  local times = redis.call('HMGET', jobPrefix .. jobId, 'timestamp', 'processedOn')
  local sinceMs = math.max(tonumber(times[1] or 0), tonumber(times[2] or 0))
  if sinceMs > 0 and (not oldestMs or sinceMs < oldestMs) then oldestMs = sinceMs end
end

local last = redis.call('LINDEX', waitKey, -1)
if last then consider(last) end
local fromScore = '-inf'
for _ = 1, MAX_PRIORITIES do
  local first = redis.call('ZRANGEBYSCORE', prioritizedKey, fromScore, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local jobId, score = first[1], first[2]
  if not jobId then break end
  consider(jobId)
  fromScore = string.format('%.0f', (math.floor(tonumber(score) / PRIORITY_STEP) + 1) * PRIORITY_STEP)
end
return oldestMs and string.format('%.0f', oldestMs) or ''
