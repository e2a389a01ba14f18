--[[
Acquires the lease of an upload for one request, if no other request holds it.

Keys
  KEYS[1] upload session (hash)
Arguments
  ARGV[1] fence: random token of the request
  ARGV[2] channel of its process, on which others ask it to release the lease
  ARGV[3] length of the lease, milliseconds
  ARGV[4] offset at which the request continues; '' accepts any offset
  ARGV[5] fence of a holder that did not answer and loses the lease; '' otherwise
  ARGV[6] run id of the Redis that the caller talks to
  ARGV[7] slot key of the caller's ticket; '' if the ticket is for every slot
Returns a list, its first item one of
  'missing'  Redis does not know the upload
  'scope'    the ticket is for another slot
  'ended'    the upload no longer receives
  'offset'   the upload is at another offset, so a running request is not interrupted
  'held'     another request holds the lease
  'ok'       acquired
  then, except with 'missing': the session as names and values in turn. With 'ok' also the channel of a former holder that did
  not release the lease ('' if it was free, '?' if the channel is unknown) and Redis' time in milliseconds.
Atomic, because of many concurrent requests exactly one must get the lease.
]]
local sessionKey = KEYS[1]
local fence, holder, leaseMs = ARGV[1], ARGV[2], ARGV[3]
local offset, stolenFence, runId, slotKey = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
--- @include "../../core/commands/includes/now-ms.lua"

local known = redis.call('HMGET', sessionKey, session.status, session.fence, session.leaseUntilMs, session.offset,
  session.runId, session.holder, session.slotKey)
local knownStatus, knownFence, leaseUntilMs, knownOffset = known[1], known[2], known[3], known[4]
local writtenUnder, knownHolder, knownSlotKey = known[5], known[6], known[7]
if not knownStatus then return {'missing'} end

local function answer(kind) return {kind, redis.call('HGETALL', sessionKey)} end
if slotKey ~= '' and knownSlotKey ~= slotKey then return answer('scope') end
if knownStatus ~= 'receiving' then return answer('ended') end
-- A session written in another Redis run may be outdated: the offset is not compared with it.
if offset ~= '' and writtenUnder == runId and offset ~= knownOffset then return answer('offset') end
local foreign = knownFence and knownFence ~= '' and knownFence ~= fence
if foreign and tonumber(leaseUntilMs or 0) > nowMs and knownFence ~= stolenFence then return answer('held') end

redis.call('HSET', sessionKey,
  session.fence, fence,
  session.holder, holder,
  session.leaseUntilMs, nowMs + leaseMs)
local acquired = answer('ok')
acquired[3] = foreign and (knownHolder or '?') or ''
acquired[4] = tostring(nowMs)
-- After the session was read: the reply still contains the mark `restored`.
redis.call('HDEL', sessionKey, session.restored, session.clientGone)
return acquired
