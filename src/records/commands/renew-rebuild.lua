--[[
Renews the lease of the process that rebuilds Redis from the store.

Keys
  KEYS[1] rebuild lease (string: token)
Arguments
  ARGV[1] token of the process
  ARGV[2] length of the lease, milliseconds
Returns
  1  renewed
  0  another process has the lease, or Redis has lost the token and the rebuilt data
Atomic, because a process that lost the lease between two commands would renew its successor's.
]]
local rebuildKey = KEYS[1]
local token, leaseMs = ARGV[1], ARGV[2]

if redis.call('GET', rebuildKey) ~= token then return 0 end
redis.call('PEXPIRE', rebuildKey, leaseMs)
return 1
