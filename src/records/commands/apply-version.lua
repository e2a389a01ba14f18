--[[
Makes a committed version of a record readable: its cache, and its place among the uploads of its submission. Its event is
published by publish-version. A key that is not needed is KEYS[1] again.

Keys
  KEYS[1] cache of the newest version (hash)
  KEYS[2] uploads on which something is due (sorted set: upload id by time)
  KEYS[3] uploads of the submission (sorted set: upload id by creation time)
  KEYS[4] unfinished upload with this fingerprint (string: upload id)
Arguments
  ARGV[1] version
  ARGV[2] run id of the Redis that the caller talks to
  ARGV[3] record (JSON)
  ARGV[4] how long the cache is kept, milliseconds
  ARGV[5] upload id; '' if the record is a submission head
  ARGV[6] when the upload was created, Unix milliseconds
  ARGV[7] when to check the upload again, Unix milliseconds; '' leaves it as it is
Returns
  1  this version is cached now
  0  it was cached already, or a newer one is
Atomic, because of two versions that are applied at the same time the newer one must stay.
]]
local cacheKey, dueKey, uploadsKey, fingerprintKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local version, runId, record, cacheMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local uploadId, createdAtMs, dueAtMs = ARGV[5], ARGV[6], ARGV[7]

local known = redis.call('HMGET', cacheKey, cache.version, cache.runId)
local cachedVersion, cachedUnder = tonumber(known[1] or 0), known[2]
if fingerprintKey ~= cacheKey then redis.call('SET', fingerprintKey, uploadId, 'PX', cacheMs, 'NX') end
-- Also if the version is cached already: the list may have left Redis before the cache.
if uploadsKey ~= cacheKey then redis.call('ZADD', uploadsKey, createdAtMs, uploadId) end
if cachedUnder == runId and cachedVersion >= version then return 0 end

redis.call('HSET', cacheKey, cache.version, version, cache.runId, runId, cache.json, record)
redis.call('PEXPIRE', cacheKey, cacheMs)
if dueAtMs ~= '' then redis.call('ZADD', dueKey, dueAtMs, uploadId) end
return 1
