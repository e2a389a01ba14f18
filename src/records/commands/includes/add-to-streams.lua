-- An event into the stream of its portal and into that of its submission, and to whoever listens at this moment.
local function addToStreams(portalStream, submissionStream, event, submissionId, nowMs)
  local oldest = tonumber(nowMs) - EVENT_RETENTION_MS
  redis.call('XADD', portalStream, 'MINID', '~', oldest, '*', stream.event, event, stream.submissionId, submissionId)
  redis.call('XADD', submissionStream, 'MAXLEN', '~', SUBMISSION_EVENTS_MAX, '*', stream.event, event)
  redis.call('PEXPIRE', submissionStream, EVENT_RETENTION_MS)
  redis.call('PUBLISH', LIVE_CHANNEL, event)
end
