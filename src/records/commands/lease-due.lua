--[[
Gives due uploads to one of the processes that look for them: for the others they are not due for a while.

Keys
  KEYS[1] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] time, Unix milliseconds
  ARGV[2] how many at most
  ARGV[3] when they are due again if this process dies, Unix milliseconds
Returns the upload ids, those due first in front
Atomic, because two processes that ask at the same time must get different uploads.
]]
local dueKey = KEYS[1]
local nowMs, limit, againMs = ARGV[1], ARGV[2], ARGV[3]

local uploadIds = redis.call('ZRANGEBYSCORE', dueKey, '-inf', nowMs, 'LIMIT', 0, limit)
for _, uploadId in ipairs(uploadIds) do redis.call('ZADD', dueKey, againMs, uploadId) end
return uploadIds
