--[[
Counts the unfinished uploads of a person, and removes those that have ended.

Keys
  KEYS[1] open uploads of the person (sorted set: upload id by creation time)
Arguments
  ARGV[1] prefix of the keys of upload sessions
Returns a list
  1  number of uploads whose last byte is not received yet
  2  their declared bytes that are not received yet, as a string, because the number can exceed the integers of a reply
Atomic, so that an upload that is created at the same time is not removed.
]]
local personKey = KEYS[1]
local sessionPrefix = ARGV[1]

local open, bytesLeft = 0, 0
for _, uploadId in ipairs(redis.call('ZRANGE', personKey, 0, -1)) do
  local known = redis.call('HMGET', sessionPrefix .. uploadId, session.status, session.size, session.offset)
  local status, size, offset = known[1], known[2], known[3]
  if status == 'receiving' then
    open = open + 1
    if size and size ~= '' then bytesLeft = bytesLeft + tonumber(size) - tonumber(offset or 0) end
  else
    redis.call('ZREM', personKey, uploadId)
  end
end
return {open, string.format('%.0f', bytesLeft)}
