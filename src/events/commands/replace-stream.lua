--[[
Replaces a stream by a rebuilt one, if nothing was added to the old stream since it was read.

Keys
  KEYS[1] new stream
  KEYS[2] old stream, whose name the new one gets
  KEYS[3] name of the order of the portal's events (string); KEYS[2] again for the stream of a submission
Arguments
  ARGV[1] id of the last entry that was read from the old stream; '' if it was empty
  ARGV[2] consumer group of the webhooks; '' for the stream of a submission
  ARGV[3] new name of the order
  ARGV[4] how long the stream of a submission is kept, milliseconds
Returns
  1  replaced
  0  something was added to the old stream: read it again
Atomic, because an event that is added between the check and the replacement would be lost.
]]
local newStream, oldStream, epochKey = KEYS[1], KEYS[2], KEYS[3]
local lastReadId, group, epoch, keepMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local last = redis.call('XREVRANGE', oldStream, '+', '-', 'COUNT', 1)[1]
if (last and last[1] or '') ~= lastReadId then return 0 end
if group ~= '' then
  -- The webhooks of the events in the new stream are queued already: the consumer group begins after them.
  redis.call('XGROUP', 'CREATE', newStream, group, '$')
  redis.call('PERSIST', newStream)
  redis.call('SET', epochKey, epoch)
else
  redis.call('PEXPIRE', newStream, keepMs)
end
redis.call('RENAME', newStream, oldStream)
return 1
