--[[
Sets the last sequence number of a submission to the highest one in the store, unless Redis has a higher one.

Keys
  KEYS[1] sequence of the submission (hash)
Arguments
  ARGV[1] run id of the Redis that the caller talks to
  ARGV[2] number found in the store
Returns the last sequence number
Atomic, because numbers may be used between the check and the write.
]]
local sequenceKey = KEYS[1]
local runId, found = ARGV[1], tonumber(ARGV[2])

local last = math.max(found, tonumber(redis.call('HGET', sequenceKey, sequence.last) or 0))
redis.call('HSET', sequenceKey, sequence.last, last, sequence.runId, runId)
return last
