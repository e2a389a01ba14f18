--[[
Returns since when the oldest job of a queue waits. BullMQ keeps waiting jobs in two places: the list `wait`, whose last entry is
the oldest, and the sorted set `prioritized`, scored priority * 2^32 + counter. So the first entry of each priority is its oldest, and
the next priority begins at the next multiple of 2^32. A retried job waits since its last attempt began.

Keys
  KEYS[1] waiting jobs (list of job ids)
  KEYS[2] waiting jobs with a priority (sorted set of job ids)
  KEYS[3] prefix of the keys of jobs
Arguments none
Returns Unix milliseconds as a string; '' if no job waits
Atomic, because if a job is started between the commands, it and those after it would be missed.
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
