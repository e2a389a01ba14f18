--[[
Counts unfinished uploads, one step of many, because Redis is blocked during a step.

Keys
  KEYS[1] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] first rank of this step
  ARGV[2] last rank of this step
  ARGV[3] prefix of the keys of upload sessions
  ARGV[4] uploads that expire after this time have made progress recently, Unix milliseconds
Returns a list
  1  uploads checked
  2  uploads whose last byte is not received yet
  3  their declared bytes that are not received yet, as a string, because the number can exceed the integers of a reply
  4  of the uploads in 2: those that no client is sending at this moment
  5  uploads with all bytes received and work still to be done
  6  of the bytes in 3: those of uploads with recent progress, as a string
Atomic only within a step: it sees each upload in one state.
]]
local dueKey = KEYS[1]
local firstRank, lastRank, sessionPrefix, movedSinceMs = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])

local uploadIds = redis.call('ZRANGE', dueKey, firstRank, lastRank)
local open, bytesLeft, paused, unsettled, bytesPromised = 0, 0, 0, 0, 0
for _, uploadId in ipairs(uploadIds) do
  local known = redis.call('HMGET', sessionPrefix .. uploadId, session.status, session.size, session.offset,
    session.fence, session.expiresAtMs)
  local status, size, offset, fence, expiresAtMs = known[1], known[2], known[3], known[4], known[5]
  if status == 'receiving' then
    open = open + 1
    if not fence or fence == '' then paused = paused + 1 end
    if size and size ~= '' then
      local left = tonumber(size) - tonumber(offset or 0)
      bytesLeft = bytesLeft + left
      if tonumber(expiresAtMs or 0) >= movedSinceMs then bytesPromised = bytesPromised + left end
    end
  else
    unsettled = unsettled + 1
  end
end
return {#uploadIds, open, string.format('%.0f', bytesLeft), paused, unsettled, string.format('%.0f', bytesPromised)}
