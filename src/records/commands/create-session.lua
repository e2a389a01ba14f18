--[[
Registers a new upload without stored bytes, unless an unfinished upload of the same file exists. A key that is not needed is
KEYS[1] again.

Keys
  KEYS[1]  upload session (hash)
  KEYS[2]  uploads on which something is due (sorted set: upload id by time)
  KEYS[3]  uploads of the submission (sorted set: upload id by creation time)
  KEYS[4]  unfinished upload with this fingerprint (string: upload id)
  KEYS[5]  session of the upload that the caller knows to have this fingerprint (hash)
Arguments
  ARGV[1]  upload id
  ARGV[2]  draft (JSON)
  ARGV[3]  size in bytes; '' while the length is deferred
  ARGV[4]  when the upload expires, Unix milliseconds
  ARGV[5]  bytes of a multipart part
  ARGV[6]  run id of the Redis that the caller talks to
  ARGV[7]  when it was created, Unix milliseconds
  ARGV[8]  slot key: portal, submission and slot
  ARGV[9]  fence of the request that creates it and then sends bytes; '' if no request holds it yet
  ARGV[10] channel of the process that holds it
  ARGV[11] length of the lease, milliseconds
  ARGV[12] id of the upload whose session is KEYS[5]; '' if the caller knows none
Returns a list
  'created'     the upload is registered, now or by an earlier run of the same call
  'joined', id  of the unfinished upload with this fingerprint; nothing was created
  'other', id   of the upload with this fingerprint: call again with its session. Nothing was created
Atomic, because two browser tabs that start the same file must get one upload.
]]
local sessionKey, dueKey, uploadsKey, fingerprintKey, otherKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local uploadId, draft, size, expiresAtMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local partBytes, runId, createdAtMs, slotKey = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local fence, holder, leaseMs, knownOther = ARGV[9], ARGV[10], ARGV[11], ARGV[12]
--- @include "../../core/commands/includes/now-ms.lua"

local hasFingerprint = fingerprintKey ~= sessionKey
if hasFingerprint then
  local other = redis.call('GET', fingerprintKey)
  if other and other ~= uploadId then
    if other ~= knownOther then return {'other', other} end
    if redis.call('HGET', otherKey, session.status) == 'receiving' then return {'joined', other} end
  end
end
if redis.call('EXISTS', sessionKey) == 1 then return {'created'} end

redis.call('HSET', sessionKey,
  session.draft, draft,
  session.slotKey, slotKey,
  session.size, size,
  session.offset, 0,
  session.status, 'receiving',
  session.version, 0,
  session.expiresAtMs, expiresAtMs,
  session.partBytes, partBytes,
  session.runId, runId)
if fence ~= '' then
  redis.call('HSET', sessionKey,
    session.fence, fence,
    session.holder, holder,
    session.leaseUntilMs, nowMs + leaseMs)
end
redis.call('PEXPIREAT', sessionKey, expiresAtMs + KEEP_EXPIRED_MS)
redis.call('ZADD', dueKey, expiresAtMs, uploadId)
if uploadsKey ~= sessionKey then redis.call('ZADD', uploadsKey, createdAtMs, uploadId) end
if hasFingerprint then redis.call('SET', fingerprintKey, uploadId, 'PXAT', expiresAtMs) end
return {'created'}
