--[[
Ends a lease: the entry gets the time of the next look, or goes. If somebody has touched it since, it is only made earlier.

Keys
  KEYS[1] submissions by the time of the next look (sorted set)
Arguments
  ARGV[1] submission
  ARGV[2] until when it was leased, Unix milliseconds
  ARGV[3] time of the next look, Unix milliseconds; '' if there is none
Returns nothing
Atomic, because a date that is moved between the two steps would be lost.
]]
local datesKey = KEYS[1]
local submission, leasedUntil, nextLook = ARGV[1], tonumber(ARGV[2]), ARGV[3]

if tonumber(redis.call('ZSCORE', datesKey, submission)) ~= leasedUntil then
  if nextLook ~= '' then redis.call('ZADD', datesKey, 'LT', nextLook, submission) end
elseif nextLook == '' then
  redis.call('ZREM', datesKey, submission)
else
  redis.call('ZADD', datesKey, nextLook, submission)
end
