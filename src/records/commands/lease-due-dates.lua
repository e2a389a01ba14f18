--[[
Gives the entries whose time has come to one process.

Keys
  KEYS[1] submissions by the time of the next look (sorted set)
Arguments
  ARGV[1] time, Unix milliseconds
  ARGV[2] maximum number of entries
  ARGV[3] until when no other process is given them, Unix milliseconds: their time from now on
Returns their names, the earliest first
Atomic, because two processes would be given the same.
]]
local datesKey = KEYS[1]
local now, limit, leasedUntil = ARGV[1], ARGV[2], ARGV[3]

local members = redis.call('ZRANGEBYSCORE', datesKey, '-inf', now, 'LIMIT', 0, limit)
for _, member in ipairs(members) do redis.call('ZADD', datesKey, leasedUntil, member) end
return members
