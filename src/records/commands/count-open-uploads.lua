--[[
Counts unfinished uploads, one step of many: Redis does nothing else meanwhile.

Keys
  KEYS[1] uploads on which something is due (sorted set: upload id by time)
Arguments
  ARGV[1] first rank of this step
  ARGV[2] last rank of this step
  ARGV[3] what the keys of upload sessions begin with
  ARGV[4] uploads that expire from then on have moved lately, Unix milliseconds
Returns a list
  1  uploads looked at
  2  uploads whose last byte is not here yet
  3  bytes that they have declared and not sent, as a string: exact beyond what an integer of a reply holds
  4  of them: uploads that nobody is sending at this moment
  5  uploads with all bytes here and something still to be done
  6  of the bytes: those of uploads that have moved lately, as a string
Atomic only in that one step sees each upload in one state.
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
