--[[
Makes a submission be looked at by a time.

Keys
  KEYS[1] submissions by the time of the next look (sorted set)
Arguments
  ARGV[1] submission
  ARGV[2] time, Unix milliseconds
Returns nothing. An entry that is earlier stays, but for the smallest part of a millisecond: whoever has leased it finds it changed, and
does not move it to a later time on what was read before.
Atomic, because of two calls the later time could win.
]]
local datesKey = KEYS[1]
local submission, at = ARGV[1], tonumber(ARGV[2])

local known = tonumber(redis.call('ZSCORE', datesKey, submission))
if known and known <= at then at = known - 1 / 1024 end
redis.call('ZADD', datesKey, string.format('%.17g', at), submission)
