--[[
Makes a committed version of a record known: its submission's place in the list of its portal, and its event, once and in order.
The cached version and the published version are stored separately: a reader that refreshes the cache must not suppress the
event of a version that is not published yet.

Keys
  KEYS[1] newest published version (hash)
  KEYS[2] submissions of the portal (sorted set: submission id by last change)
  KEYS[3] events of the portal (stream)
  KEYS[4] events of the submission (stream)
  KEYS[5] portals that have events (set)
Arguments
  ARGV[1]  version
  ARGV[2]  '1': publish its event
  ARGV[3]  portal
  ARGV[4]  submission id; '' for an upload without one
  ARGV[5]  event (JSON); '' if this version is no event
  ARGV[6]  the submission's place in the list: 'put' it there, 'move' it if it is there, 'remove' it, or 'keep' it
  ARGV[7]  when the version was committed, Unix milliseconds
  ARGV[8]  without publishing, the state of its event: '1' it was published before, even if Redis has lost that fact;
           '2' it and all earlier ones have just been published; '0' unknown
  ARGV[9]  '1': all earlier versions count as published
  ARGV[10] time, Unix milliseconds
  ARGV[11] how long the published version is kept, milliseconds
Returns
  'ok'      published
  'gap'     an earlier version was never published: publish that one first. Nothing was changed
  'unknown' Redis does not know whether an earlier version was published. Nothing was changed
  'old'     its event was published before, or is not to be published
Atomic, because a crash between counter and stream would lose an event, or publish it twice.
]]
local publishedKey, submissionsKey, portalStream, submissionStream, portalsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local version, publish, portal, submissionId, event = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3], ARGV[4], ARGV[5]
local place, committedAtMs = ARGV[6], ARGV[7]
local publishedBefore, publishedNow, earlierPublished = ARGV[8] == '1', ARGV[8] == '2', ARGV[9] == '1'
local nowMs, keepMs = ARGV[10], ARGV[11]
--- @include "includes/add-to-streams.lua"

local publishedVersion = tonumber(redis.call('HGET', publishedKey, cache.publishedVersion) or nil)
local lastPublished = publishedVersion
if earlierPublished then lastPublished = math.max(publishedVersion or 0, version - 1) end
if publish and version > 1 and not lastPublished then return 'unknown' end
lastPublished = lastPublished or (version - 1)
if publish and lastPublished < version - 1 then return 'gap' end
if lastPublished >= version then publish = false end

if submissionId ~= '' then
  redis.call('SADD', portalsKey, portal)
  -- An older version must not put back what a newer one has removed.
  local isNewest = (publishedVersion or 0) <= version
  if place == 'remove' then
    redis.call('ZREM', submissionsKey, submissionId)
  elseif place == 'put' and isNewest or place == 'move' and redis.call('ZSCORE', submissionsKey, submissionId) then
    redis.call('ZADD', submissionsKey, 'GT', committedAtMs, submissionId)
  end
end

local knownOut = publishedBefore and not publishedVersion or publishedNow and (publishedVersion or 0) < version
if knownOut or publish then
  redis.call('HSET', publishedKey, cache.publishedVersion, version)
  redis.call('PEXPIRE', publishedKey, keepMs)
end
if not publish then return 'old' end
if event ~= '' then addToStreams(portalStream, submissionStream, event, submissionId, nowMs) end
return 'ok'
