--[[
Marks a group of indexes in Redis as complete: it has everything that is in the store.

Keys
  KEYS[1] rebuild lease (string: token)
  KEYS[2] mark of the group (string: run id)
Arguments
  ARGV[1] token of the process that rebuilt it
  ARGV[2] run id of the Redis that it was rebuilt in
Returns
  1  marked
  0  another process has the lease, or Redis was emptied and no longer has the token
Atomic, because if Redis is emptied between two commands, it would be marked as complete.
]]
local rebuildKey, markKey = KEYS[1], KEYS[2]
local token, runId = ARGV[1], ARGV[2]

if redis.call('GET', rebuildKey) ~= token then return 0 end
redis.call('SET', markKey, runId)
return 1
