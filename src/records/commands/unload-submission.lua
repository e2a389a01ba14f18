--[[
Takes the index of a quiet submission out of Redis. Whoever asks for it next reads it from the store again.

Keys
  KEYS[1] sequence of the submission (hash)
  KEYS[2] uploads of the submission (sorted set: upload id by creation time)
Arguments
  ARGV[1] … ids of its uploads that have a record
Returns 1
Atomic, because without its sequence the list counts as incomplete, and with it as complete. An upload that is created meanwhile
stays in the list: it has no record yet.
]]
local sequenceKey, uploadsKey = KEYS[1], KEYS[2]
local firstId = 1

redis.call('DEL', sequenceKey)
for i = firstId, #ARGV do redis.call('ZREM', uploadsKey, ARGV[i]) end
return 1
