--[[
Counts unfinished uploads, one step of many, because Redis is blocked during a step.

Keys
  KEYS[1] … upload sessions (hashes)
Arguments
  ARGV[1] uploads that expire after this time have made progress recently, Unix milliseconds
Returns a list
  1  uploads whose last byte is not received yet
  2  their declared bytes that are not received yet, as a string, because the number can exceed the integers of a reply
  3  of the uploads in 1: those that no client is sending at this moment
  4  uploads with all bytes received and work still to be done
  5  of the bytes in 2: those of uploads with recent progress, as a string
Atomic only within a step: it sees each upload in one state.
]]
local movedSinceMs = tonumber(ARGV[1])

local open, bytesLeft, paused, unsettled, bytesPromised = 0, 0, 0, 0, 0
for _, sessionKey in ipairs(KEYS) do
  local known = redis.call('HMGET', sessionKey, session.status, session.size, session.offset, session.fence,
    session.expiresAtMs)
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
return {open, string.format('%.0f', bytesLeft), paused, unsettled, string.format('%.0f', bytesPromised)}
