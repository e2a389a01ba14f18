--[[
Notes what the newest event without a version of its own says of a submission, after the event was published.

Keys
  KEYS[1] sequence of the submission (hash)
Arguments
  ARGV[1] '1': the submission is complete, '0': it is not
  ARGV[2] sequence number of the event
Returns
  1  noted
  0  a newer event is known
Atomic, because of two events that are noted at the same time the newer one must stay.
]]
local sequenceKey = KEYS[1]
local complete, eventSequence = ARGV[1], ARGV[2]

if tonumber(redis.call('HGET', sequenceKey, sequence.eventSequence) or 0) > tonumber(eventSequence) then return 0 end
redis.call('HSET', sequenceKey, sequence.complete, complete, sequence.eventSequence, eventSequence)
return 1
