--[[
Restores an upload session from the object store, if Redis has lost it or is in another run.

Keys
  KEYS[1] upload session (hash)
  KEYS[2] its multipart parts (hash: number to JSON)
  KEYS[3] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] upload id
  ARGV[2] fence of the holder, which may always correct its own session; '' for other callers
  ARGV[3] run id of the Redis that the caller talks to
  ARGV[4] when the upload expires, Unix milliseconds
  ARGV[5] offset that the store shows, bytes
  ARGV[6] number of the following arguments that are fields of the session
  ARGV[7] … fields of the session, names and values in turn; then parts, numbers and JSON in turn
Returns
  1  restored
  0  the lease is no longer this holder's; or, without a fence, Redis already has the session or a higher offset
Atomic, because the holder, or another request that read the store, may save a higher offset between the check and the write.
]]
local sessionKey, partsKey, dueKey = KEYS[1], KEYS[2], KEYS[3]
local uploadId, fence, runId, expiresAtMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local offset, fieldCount = tonumber(ARGV[5]), tonumber(ARGV[6])
local firstField, lastField = 7, 6 + fieldCount

local known = redis.call('HMGET', sessionKey, session.fence, session.runId, session.offset, session.restored)
local knownFence, writtenUnder, knownOffset, restored = known[1], known[2], known[3], known[4]
if fence ~= '' then
  if knownFence ~= fence then return 0 end
elseif writtenUnder == runId and not restored then
  return 0
elseif (knownFence or restored) and knownOffset and offset < tonumber(knownOffset) then
  return 0
end

redis.call('HSET', sessionKey, unpack(ARGV, firstField, lastField))
if fence == '' then redis.call('HSET', sessionKey, session.restored, 1) end
redis.call('DEL', partsKey)
for i = lastField + 1, #ARGV, 2 do redis.call('HSET', partsKey, ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', sessionKey, expiresAtMs + KEEP_EXPIRED_MS)
redis.call('PEXPIREAT', partsKey, expiresAtMs + KEEP_EXPIRED_MS)
redis.call('ZADD', dueKey, 'NX', expiresAtMs, uploadId)
return 1
