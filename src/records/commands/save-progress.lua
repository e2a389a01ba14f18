--[[
Saves a new durable offset of an upload with its parts and fields, and renews the lease.

Keys
  KEYS[1] upload session (hash)
  KEYS[2] its multipart parts (hash: number to JSON)
  KEYS[3] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] upload id
  ARGV[2] fence of the holder
  ARGV[3] new offset, bytes
  ARGV[4] new expiry time of the upload, Unix milliseconds
  ARGV[5] length of the lease, milliseconds
  ARGV[6] number of the following arguments that are fields of the session
  ARGV[7] … fields of the session, names and values in turn; then parts, numbers and JSON in turn
Returns
  1  saved
  0  another request has taken over, the upload no longer receives, or the offset would decrease
Atomic, because a writer that lost the lease must not change what its successor reads. The request that set 'finishing' may save again.
]]
local sessionKey, partsKey, dueKey = KEYS[1], KEYS[2], KEYS[3]
local uploadId, fence, offset, expiresAtMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local leaseMs, fieldCount = ARGV[5], tonumber(ARGV[6])
local firstField, lastField = 7, 6 + fieldCount
-- How long after the last byte the reconciler checks whether the upload was finished.
local FINISH_CHECK_MS = 5000
--- @include "../../core/commands/includes/now-ms.lua"

local known = redis.call('HMGET', sessionKey, session.fence, session.status, session.offset)
local knownFence, knownStatus, knownOffset = known[1], known[2], known[3]
if knownFence ~= fence then return 0 end
local finishing = false
for i = firstField, lastField, 2 do
  if ARGV[i] == session.status then finishing = true end
end
if knownStatus ~= 'receiving' and not (knownStatus == 'finishing' and finishing) then return 0 end
if tonumber(knownOffset) > tonumber(offset) then return 0 end

redis.call('HSET', sessionKey, session.leaseUntilMs, nowMs + leaseMs, unpack(ARGV, firstField, lastField))
for i = lastField + 1, #ARGV, 2 do redis.call('HSET', partsKey, ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIREAT', sessionKey, expiresAtMs + KEEP_EXPIRED_MS)
redis.call('PEXPIREAT', partsKey, expiresAtMs + KEEP_EXPIRED_MS)
redis.call('ZADD', dueKey, finishing and nowMs + FINISH_CHECK_MS or expiresAtMs, uploadId)
return 1
