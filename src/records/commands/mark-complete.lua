--[[
Marks a part of Redis as holding everything that is in the store.

Keys
  KEYS[1] who rebuilds (string: token)
  KEYS[2] mark of the part (string: run id)
Arguments
  ARGV[1] token of the process that rebuilt it
  ARGV[2] run id of the Redis that it was rebuilt in
Returns
  1  marked
  0  somebody else has begun, or Redis was emptied meanwhile and does not know the token
Atomic, because a Redis that is emptied between two commands would be marked as complete.
]]
local rebuildKey, markKey = KEYS[1], KEYS[2]
local token, runId = ARGV[1], ARGV[2]

if redis.call('GET', rebuildKey) ~= token then return 0 end
redis.call('SET', markKey, runId)
return 1
