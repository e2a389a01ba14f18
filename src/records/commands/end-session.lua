--[[
Ends an upload with the state of its record. Its lease becomes invalid and its offset can no longer change.

Keys
  KEYS[1] upload session (hash)
  KEYS[2] its multipart parts (hash)
Arguments
  ARGV[1] status: stored, expired or cancelled
  ARGV[2] how long the session is kept, milliseconds
  ARGV[3] stored bytes; '' if the upload is not complete
Returns
  1  ended
  0  Redis does not know the upload
Atomic, because the holder must see either its lease or the end.
]]
local sessionKey, partsKey = KEYS[1], KEYS[2]
local status, keepMs, storedBytes = ARGV[1], ARGV[2], ARGV[3]

if not redis.call('HGET', sessionKey, session.status) then return 0 end
redis.call('HSET', sessionKey, session.status, status)
if storedBytes ~= '' then
  redis.call('HSET', sessionKey, session.offset, storedBytes, session.size, storedBytes)
end
redis.call('HDEL', sessionKey, session.fence, session.holder, session.leaseUntilMs, session.inFlight)
redis.call('PEXPIRE', sessionKey, keepMs)
redis.call('PEXPIRE', partsKey, keepMs)
return 1
