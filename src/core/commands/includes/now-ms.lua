-- The clock of Redis, because the clocks of different machines can differ.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
