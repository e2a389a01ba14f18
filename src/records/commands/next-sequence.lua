--[[
Gives the next sequence number of a submission.

Keys
  KEYS[1] sequence of the submission (hash)
Arguments
  ARGV[1] run id of the Redis that the caller talks to
Returns
  the number
  -1 where this Redis run does not know the last one: the store must be asked first
Atomic, because a number of a Redis that came back older may have been given out already.
]]
local sequenceKey = KEYS[1]
local runId = ARGV[1]

local known = redis.call('HMGET', sequenceKey, sequence.last, sequence.runId)
local last, writtenUnder = known[1], known[2]
if not last or writtenUnder ~= runId then return -1 end
return redis.call('HINCRBY', sequenceKey, sequence.last, 1)
