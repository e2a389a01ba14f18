-- Adds an event to the stream of its portal and of its submission, and sends it to current subscribers.
local function addToStreams(portalStream, submissionStream, event, submissionId, nowMs)
  local oldest = tonumber(nowMs) - EVENT_RETENTION_MS
  redis.call('XADD', portalStream, 'MINID', '~', oldest, '*', stream.event, event, stream.submissionId, submissionId)
  redis.call('XADD', submissionStream, 'MAXLEN', '~', SUBMISSION_EVENTS_MAX, '*', stream.event, event)
  redis.call('PEXPIRE', submissionStream, EVENT_RETENTION_MS)
  redis.call('PUBLISH', LIVE_CHANNEL, event)
end
