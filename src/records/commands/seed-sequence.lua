--[[
Tells Redis the highest sequence number of a submission that the store shows. Never lowers the one that is known.

Keys
  KEYS[1] sequence of the submission (hash)
Arguments
  ARGV[1] run id of the Redis that the caller talks to
  ARGV[2] number found in the store
Returns the number that is known now
Atomic, because numbers may be given out between the question and the answer.
]]
local sequenceKey = KEYS[1]
local runId, found = ARGV[1], tonumber(ARGV[2])

local last = math.max(found, tonumber(redis.call('HGET', sequenceKey, sequence.last) or 0))
redis.call('HSET', sequenceKey, sequence.last, last, sequence.runId, runId)
return last
