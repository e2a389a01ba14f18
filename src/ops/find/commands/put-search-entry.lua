--[[
Puts the search entry of a submission, and counts its deadline.

Keys
  KEYS[1] entries (hash: portal/submission to words)
  KEYS[2] counted deadline of each submission (hash: portal/submission to Unix milliseconds)
  KEYS[3] deadlines (sorted set: Unix milliseconds by number of submissions)
Arguments
  ARGV[1] portal/submission
  ARGV[2] words; '' removes the entry
  ARGV[3] deadline, Unix milliseconds; '' if there is none
Returns 1
Atomic, because two concurrent changes of a deadline would make its count permanently wrong.
]]
local entriesKey, countedKey, deadlinesKey = KEYS[1], KEYS[2], KEYS[3]
local submission, words, deadline = ARGV[1], ARGV[2], ARGV[3]

local counted = redis.call('HGET', countedKey, submission)
if counted ~= deadline then
  if counted then
    if tonumber(redis.call('ZINCRBY', deadlinesKey, -1, counted)) <= 0 then
      redis.call('ZREM', deadlinesKey, counted)
    end
    redis.call('HDEL', countedKey, submission)
  end
  if deadline ~= '' then
    redis.call('HSET', countedKey, submission, deadline)
    redis.call('ZINCRBY', deadlinesKey, 1, deadline)
  end
end
if words == '' then
  redis.call('HDEL', entriesKey, submission)
else
  redis.call('HSET', entriesKey, submission, words)
end
return 1
