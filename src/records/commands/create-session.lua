--[[
Registers a new upload without stored bytes, unless an unfinished upload of the same file exists.

Keys
  KEYS[1]  upload session (hash)
  KEYS[2]  uploads on which something is due (sorted set: upload id by time)
  KEYS[3]  uploads of the submission (sorted set: upload id by creation time)
  KEYS[4]  unfinished upload with this fingerprint (string: upload id); '' if the client sent none
  KEYS[5]  open uploads of the person (sorted set: upload id by creation time)
Arguments
  ARGV[1]  upload id
  ARGV[2]  draft (JSON)
  ARGV[3]  size in bytes; '' while the length is deferred
  ARGV[4]  when the upload expires, Unix milliseconds
  ARGV[5]  bytes of a multipart part
  ARGV[6]  run id of the Redis that the caller talks to
  ARGV[7]  when it was created, Unix milliseconds
  ARGV[8]  submission id; '' for an upload without one
  ARGV[9]  slot key: portal, submission and slot
  ARGV[10] fence of the request that creates it and then sends bytes; '' if no request holds it yet
  ARGV[11] channel of the process that holds it
  ARGV[12] length of the lease, milliseconds
  ARGV[13] prefix of the keys of upload sessions
Returns
  '' if the upload is registered, now or by an earlier run of the same call
  the id of the unfinished upload with this fingerprint; nothing was created
Atomic, because two browser tabs that start the same file must get one upload.
]]
local sessionKey, dueKey, uploadsKey, fingerprintKey, personKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local uploadId, draft, size, expiresAtMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local partBytes, runId, createdAtMs, submissionId = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local slotKey, fence, holder, leaseMs, sessionPrefix = ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]
--- @include "../../core/commands/includes/now-ms.lua"

if fingerprintKey ~= '' then
  local other = redis.call('GET', fingerprintKey)
  if other and other ~= uploadId
    and redis.call('HGET', sessionPrefix .. other, session.status) == 'receiving' then
    return other
  end
end
if redis.call('EXISTS', sessionKey) == 1 then return '' end

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
if submissionId ~= '' then
  redis.call('ZADD', uploadsKey, createdAtMs, uploadId)
  redis.call('ZADD', personKey, createdAtMs, uploadId)
  redis.call('PEXPIRE', personKey, FORGET_PERSON_MS)
end
if fingerprintKey ~= '' then redis.call('SET', fingerprintKey, uploadId, 'PXAT', expiresAtMs) end
return ''
