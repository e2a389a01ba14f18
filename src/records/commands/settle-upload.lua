--[[
Ends the checks of an upload on which nothing is due, after everybody was told of its newest version.

Keys
  KEYS[1] cache of the newest version (hash)
  KEYS[2] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] version
  ARGV[2] upload id
Returns
  1  settled
  0  there is a newer version, which decides
Atomic, because the check that a newer version asks for would be lost.
]]
local cacheKey, dueKey = KEYS[1], KEYS[2]
local version, uploadId = tonumber(ARGV[1]), ARGV[2]

if tonumber(redis.call('HGET', cacheKey, cache.version) or 0) > version then return 0 end
redis.call('ZREM', dueKey, uploadId)
return 1
