--[[
Tells the time of the node that has a key. In a cluster the nodes' clocks differ.

Keys
  KEYS[1] any key on that node
Arguments none
Returns a list: seconds and microseconds
Atomic: it is one command.
]]
local _ = KEYS[1]

return redis.call('TIME')
