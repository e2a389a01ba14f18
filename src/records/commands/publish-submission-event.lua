--[[
Publishes an event that belongs to no version of an upload or of a head (complete, superseded). It has a record of its
own, whose version gives the order: it is published once, in order.

Keys
  KEYS[1] newest published version (hash)
  KEYS[2] events of the portal (stream)
  KEYS[3] events of the submission (stream)
Arguments
  ARGV[1] version of the event's record
  ARGV[2] event (JSON)
  ARGV[3] '1': publish it
  ARGV[4] without publishing: '1' it is old enough to count as published, '0' its publisher will do it
  ARGV[5] time, Unix milliseconds
  ARGV[6] submission id
  ARGV[7] '1': all earlier ones count as published
Returns
  'ok'      published, or, without publishing, noted as published
  'gap'     an earlier one was never published: publish that one first. Nothing was changed
  'unknown' Redis does not know whether an earlier one was published. Nothing was changed
  'old'     published before
Atomic, because a crash between counter and stream would lose an event, or publish it twice.
]]
local publishedKey, portalStream, submissionStream = KEYS[1], KEYS[2], KEYS[3]
local version, event, publish, settled = tonumber(ARGV[1]), ARGV[2], ARGV[3] == '1', ARGV[4] == '1'
local nowMs, submissionId, earlierPublished = ARGV[5], ARGV[6], ARGV[7] == '1'
--- @include "includes/add-to-streams.lua"

local lastPublished = tonumber(redis.call('HGET', publishedKey, sequence.publishedVersion) or nil)
if earlierPublished then lastPublished = math.max(lastPublished or 0, version - 1) end
if publish and version > 1 and not lastPublished then return 'unknown' end
lastPublished = lastPublished or (version - 1)
if publish and lastPublished < version - 1 then return 'gap' end
if lastPublished >= version then return 'old' end
if publish or settled then redis.call('HSET', publishedKey, sequence.publishedVersion, version) end
if publish then addToStreams(portalStream, submissionStream, event, submissionId, nowMs) end
return 'ok'
