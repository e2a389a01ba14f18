--[[
Renews, ends or releases the lease of the process that joins an upload's parts.

Keys
  KEYS[1] lease (string)
Arguments
  ARGV[1] its value as the caller knows it
  ARGV[2] its new value; '' deletes it
  ARGV[3] how long the new value is kept, milliseconds
Returns
  1  replaced
  0  the lease has another value: it expired, or another process has it
Atomic, because a process that lost the lease between two commands would replace its successor's.
]]
local leaseKey = KEYS[1]
local knownValue, newValue, keepMs = ARGV[1], ARGV[2], ARGV[3]

if redis.call('GET', leaseKey) ~= knownValue then return 0 end
if newValue == '' then
  redis.call('DEL', leaseKey)
else
  redis.call('SET', leaseKey, newValue, 'PX', keepMs)
end
return 1
