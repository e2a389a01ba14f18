--[[
Sets the last sequence number of a submission to the highest one in the store, unless Redis has a higher one. From then on the
list of its uploads counts as complete.

Keys
  KEYS[1] sequence of the submission (hash)
  KEYS[2] uploads of the submission (sorted set: upload id by creation time)
Arguments
  ARGV[1] run id of the Redis that the caller talks to
  ARGV[2] number found in the store
  ARGV[3] … all uploads in the store: time of creation (Unix milliseconds) and id in turn
Returns the last sequence number
Atomic, because numbers may be used between the check and the write, and because a list that another process takes out of Redis meanwhile
would count as complete without its uploads.
]]
local sequenceKey, uploadsKey = KEYS[1], KEYS[2]
local runId, found = ARGV[1], tonumber(ARGV[2])
local firstUpload = 3

local last = math.max(found, tonumber(redis.call('HGET', sequenceKey, sequence.last) or 0))
redis.call('HSET', sequenceKey, sequence.last, last, sequence.runId, runId)
for i = firstUpload, #ARGV, 2 do redis.call('ZADD', uploadsKey, ARGV[i], ARGV[i + 1]) end
return last
