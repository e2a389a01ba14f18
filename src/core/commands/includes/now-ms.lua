-- Redis' own clock, so that the clocks of different machines need not agree.
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
