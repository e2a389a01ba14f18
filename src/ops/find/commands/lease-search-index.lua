--[[
Acquires or renews the lease of the one process that keeps the search index up to date.

Keys
  KEYS[1] lease (string: name of the process that has it)
Arguments
  ARGV[1] name of the process
  ARGV[2] length of the lease, milliseconds
Returns
  1  this process has the lease
  0  another process has it
Atomic, because of several concurrent processes exactly one must get the lease.
]]
local leaseKey = KEYS[1]
local process, leaseMs = ARGV[1], ARGV[2]

local holder = redis.call('GET', leaseKey)
if holder and holder ~= process then return 0 end
redis.call('SET', leaseKey, process, 'PX', leaseMs)
return 1
