--[[
Puts how a submission stands, in the place of how it stood before.

Keys
  KEYS[1] place of each submission (hash: portal/submission to group, tab, standing)
  KEYS[2] standings (sorted set without scores: group, tab, standing, tab, portal/submission)
  KEYS[3] groups (sorted set: group by deadline)
Arguments
  ARGV[1] portal/submission
  ARGV[2] group: deadline, tab, profile; '' takes the submission out
  ARGV[3] standing
  ARGV[4] deadline, Unix milliseconds
Returns 1 if something changed, else 0
Atomic, because of two changes at once one would leave the submission in two places, and be counted twice.
]]
local placesKey, standingsKey, groupsKey = KEYS[1], KEYS[2], KEYS[3]
local submission, group, standing, deadline = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local before = redis.call('HGET', placesKey, submission)
local now = group ~= '' and (group .. '\t' .. standing) or false
if before == now then return 0 end
if now then
  redis.call('HSET', placesKey, submission, now)
  redis.call('ZADD', standingsKey, 0, now .. '\t' .. submission)
  redis.call('ZADD', groupsKey, deadline, group)
else
  redis.call('HDEL', placesKey, submission)
end
if before then
  redis.call('ZREM', standingsKey, before .. '\t' .. submission)
  local left = string.match(before, '^(.*)\t')
  if redis.call('ZLEXCOUNT', standingsKey, '[' .. left .. '\t', '(' .. left .. '\n') == 0 then
    redis.call('ZREM', groupsKey, left)
  end
end
return 1
