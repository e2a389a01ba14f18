--[[
Takes a job out of a queue of BullMQ while it waits for its turn. Workers of the queue take theirs from the same sorted set.

Keys
  KEYS[1] waiting jobs with a priority (sorted set of job ids)
  KEYS[2] the job (hash)
Arguments
  ARGV[1] its id
Returns 1 where the job was taken; 0 where it does not wait here
Sent twice, it says 0 although it took the job: the reconciler finds that one.
Atomic, because a job without its data, or data without a job, would keep another one of that id from being added.
]]
local prioritizedKey, jobKey = KEYS[1], KEYS[2]
local jobId = ARGV[1]

if redis.call('ZREM', prioritizedKey, jobId) == 0 then return 0 end
redis.call('DEL', jobKey)
return 1
