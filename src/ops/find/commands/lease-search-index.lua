--[[
Acquires or renews the lease of the one process that keeps the search index up to date.

Keys
  KEYS[1] who holds it (string: name of a process)
Arguments
  ARGV[1] name of the process
  ARGV[2] length of the lease, milliseconds
Returns
  1  it is this process's
  0  another process holds it
Atomic, because of processes that ask at once one must win.
]]
local leaseKey = KEYS[1]
local process, leaseMs = ARGV[1], ARGV[2]

local holder = redis.call('GET', leaseKey)
if holder and holder ~= process then return 0 end
redis.call('SET', leaseKey, process, 'PX', leaseMs)
return 1
