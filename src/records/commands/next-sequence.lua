--[[
Gives the next sequence number of a submission.

Keys
  KEYS[1] sequence of the submission (hash)
Arguments
  ARGV[1] run id of the Redis that the caller talks to
Returns
  the number
  -1 if this Redis run does not know the last number: read it from the store first
Atomic, because a Redis that returned with older data may return a number that was used already.
]]
local sequenceKey = KEYS[1]
local runId = ARGV[1]

local known = redis.call('HMGET', sequenceKey, sequence.last, sequence.runId)
local last, writtenUnder = known[1], known[2]
if not last or writtenUnder ~= runId then return -1 end
return redis.call('HINCRBY', sequenceKey, sequence.last, 1)
