--[[
Notes that a version of a record is about to be committed. As long as the cached version is older, Redis may not have heard of it.

Keys
  KEYS[1] cache of the newest version (hash)
Arguments
  ARGV[1] version
  ARGV[2] how long the cache is kept until Redis has the version, milliseconds
Returns 1
Atomic, because of two writers the one with the older version may be the later one.
]]
local cacheKey = KEYS[1]
local version, cacheMs = tonumber(ARGV[1]), ARGV[2]

if version > tonumber(redis.call('HGET', cacheKey, cache.begunVersion) or 0) then
  redis.call('HSET', cacheKey, cache.begunVersion, version)
end
redis.call('PEXPIRE', cacheKey, cacheMs)
return 1
