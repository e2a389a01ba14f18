--[[
Publishes an event that belongs to no version of an upload or of a head (complete, superseded). It has a record of its
own, whose version gives the order: it is published once, in order.

Keys
  KEYS[1] sequence of the submission (hash)
  KEYS[2] events of the portal (stream)
  KEYS[3] events of the submission (stream)
Arguments
  ARGV[1] version of the event's record
  ARGV[2] '1': the submission is complete, '0': it is not
  ARGV[3] sequence number of the event
  ARGV[4] event (JSON)
  ARGV[5] '1': publish it
  ARGV[6] without publishing: '1' it is old enough to count as published, '0' its publisher will do it
  ARGV[7] time, Unix milliseconds
  ARGV[8] submission id
  ARGV[9] '1': all earlier ones count as published
Returns
  'ok'      published, or, without publishing, noted as published
  'gap'     an earlier one was never published: publish that one first. Nothing was changed
  'unknown' Redis does not know whether an earlier one was published. Nothing was changed
  'old'     published before
Atomic, because a crash between counter and stream would lose an event, or publish it twice.
]]
local sequenceKey, portalStream, submissionStream = KEYS[1], KEYS[2], KEYS[3]
local version, complete, eventSequence, event = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local publish, settled, nowMs, submissionId = ARGV[5] == '1', ARGV[6] == '1', ARGV[7], ARGV[8]
local earlierPublished = ARGV[9] == '1'
--- @include "includes/add-to-streams.lua"

local known = redis.call('HMGET', sequenceKey, sequence.publishedVersion, sequence.eventSequence)
local lastPublished = known[1] and tonumber(known[1])
if earlierPublished then lastPublished = math.max(lastPublished or 0, version - 1) end
if publish and version > 1 and not lastPublished then return 'unknown' end
lastPublished = lastPublished or (version - 1)
local newestSequence = tonumber(known[2] or 0)
if publish and lastPublished < version - 1 then return 'gap' end
if newestSequence <= tonumber(eventSequence) then
  redis.call('HSET', sequenceKey, sequence.complete, complete, sequence.eventSequence, eventSequence)
end
if lastPublished >= version then return 'old' end
if publish or settled then redis.call('HSET', sequenceKey, sequence.publishedVersion, version) end
if publish then addToStreams(portalStream, submissionStream, event, submissionId, nowMs) end
return 'ok'
