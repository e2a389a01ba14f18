--[[
Makes a committed version of a record visible: its cache, its place in the lists, and its event, once and in order.
The cached version and the published version are stored separately: a reader that refreshes the cache must not suppress the
event of a version that is not published yet.

Keys
  KEYS[1] cache of the newest version (hash)
  KEYS[2] uploads on which something is due (sorted set: upload id by time)
  KEYS[3] uploads of the submission (sorted set: upload id by creation time)
  KEYS[4] submissions of the portal (sorted set: submission id by last change)
  KEYS[5] events of the portal (stream)
  KEYS[6] events of the submission (stream)
  KEYS[7] portals that have events (set)
  KEYS[8] unfinished upload with this fingerprint (string: upload id); '' sets none
Arguments
  ARGV[1]  version
  ARGV[2]  run id of the Redis that the caller talks to
  ARGV[3]  record (JSON)
  ARGV[4]  how long the cache is kept, milliseconds
  ARGV[5]  time, Unix milliseconds
  ARGV[6]  upload id; '' if the record is a submission head
  ARGV[7]  when the upload was created, Unix milliseconds
  ARGV[8]  when to check the upload again, Unix milliseconds; '' if nothing is due
  ARGV[9]  '1': publish its event
  ARGV[10] submission id; '' for an upload without one
  ARGV[11] portal
  ARGV[12] event (JSON); '' if this version is no event
  ARGV[13] '1': the submission is erased and leaves the list
  ARGV[14] without publishing, the state of its event: '1' it was published before, even if Redis has lost that fact;
           '2' it and all earlier ones have just been published; '0' unknown
  ARGV[15] when the version was committed, Unix milliseconds
  ARGV[16] '1': all earlier versions count as published
Returns
  'ok'      published
  'gap'     an earlier version was never published: publish that one first. Nothing was changed
  'unknown' Redis does not know whether an earlier version was published. Nothing was changed
  'old'     visible; its event was published before, or is not to be published
Atomic, because a crash between list, cache and event would lose an event, or publish it twice.
]]
local cacheKey, dueKey, uploadsKey, submissionsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local portalStream, submissionStream, portalsKey, fingerprintKey = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local version, runId, record, cacheMs, nowMs = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local uploadId, createdAtMs, dueAtMs = ARGV[6], ARGV[7], ARGV[8]
local publish, submissionId, portal, event = ARGV[9] == '1', ARGV[10], ARGV[11], ARGV[12]
local erased, publishedBefore, publishedNow = ARGV[13] == '1', ARGV[14] == '1', ARGV[14] == '2'
local committedAtMs, earlierPublished = ARGV[15], ARGV[16] == '1'
--- @include "includes/add-to-streams.lua"

local known = redis.call('HMGET', cacheKey, cache.version, cache.runId, cache.publishedVersion)
local cachedVersion, cachedUnder, publishedVersion = tonumber(known[1] or 0), known[2], tonumber(known[3])
local lastPublished = publishedVersion
if earlierPublished then lastPublished = math.max(publishedVersion or 0, version - 1) end
if publish and version > 1 and not lastPublished then return 'unknown' end
lastPublished = lastPublished or (version - 1)
if publish and lastPublished < version - 1 then return 'gap' end
if lastPublished >= version then publish = false end

if cachedUnder ~= runId or cachedVersion < version then
  redis.call('HSET', cacheKey, cache.version, version, cache.runId, runId, cache.json, record)
  redis.call('PEXPIRE', cacheKey, cacheMs)
  if uploadId ~= '' then
    if dueAtMs == '' then redis.call('ZREM', dueKey, uploadId) else redis.call('ZADD', dueKey, dueAtMs, uploadId) end
  end
  if submissionId ~= '' then
    redis.call('SADD', portalsKey, portal)
    if erased then
      redis.call('ZREM', submissionsKey, submissionId)
    elseif uploadId == '' then
      redis.call('ZADD', submissionsKey, 'GT', committedAtMs, submissionId)
    end
  end
end
-- Also if the version is cached already: the list may have left Redis before the cache.
if submissionId ~= '' and uploadId ~= '' then redis.call('ZADD', uploadsKey, createdAtMs, uploadId) end
-- Also if the version is cached already: it may have been read before its submission was in the list.
if submissionId ~= '' and uploadId ~= '' and redis.call('ZSCORE', submissionsKey, submissionId) then
  redis.call('ZADD', submissionsKey, 'GT', committedAtMs, submissionId)
end
if fingerprintKey ~= '' then redis.call('SET', fingerprintKey, uploadId, 'PX', cacheMs, 'NX') end

local knownOut = publishedBefore and not publishedVersion or publishedNow and (publishedVersion or 0) < version
if knownOut or publish then redis.call('HSET', cacheKey, cache.publishedVersion, version) end
if not publish then return 'old' end
if event ~= '' then addToStreams(portalStream, submissionStream, event, submissionId, nowMs) end
return 'ok'
