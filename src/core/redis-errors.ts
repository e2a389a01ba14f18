// What Redis and its client reject with while Redis cannot be used: trouble that passes or that an operator mends, never
// the fault of whoever asked.

/**
 * The first word of replies that refuse a command for the server's own state, from Redis' list of errors. The last three
 * tell of a login or of permissions that were changed while we were connected.
 */
const REFUSALS = [
  'LOADING',
  'BUSY',
  'OOM',
  'MISCONF',
  'READONLY',
  'MASTERDOWN',
  'NOREPLICAS',
  'EXECABORT',
  'UNKILLABLE',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'CROSSSLOT',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
]
/** Older servers put a script's own words before it: `ERR Error running script …: -OOM command not allowed …`. */
const REFUSED = new RegExp(`^(?:${REFUSALS.join('|')})\\b|: -(?:${REFUSALS.join('|')}) `)
/** A script's command that was refused by permissions, and a server that takes no further lines. */
const REFUSED_OTHERWISE = /^ERR (?:The user executing the script can't|max number of clients)|^ACL failure in script/

/** What ioredis rejects with when a command did not get its answer; it has no class for most of them. */
const UNANSWERED =
  /^(?:Connection is closed\.|Command timed out|Stream isn't writeable and enableOfflineQueue options is false|Reached the max retries per request limit)/

/** True where Redis answered that it cannot do it now, or did not answer; false for wrong commands and failing scripts. */
export function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'ReplyError') return isRefusal(error)
  return UNANSWERED.test(error.message)
}

/** True for a reply that refuses a command for the state of the server. */
export function isRefusal({ message }: Error): boolean {
  return REFUSED.test(message) || REFUSED_OTHERWISE.test(message)
}

/** True where the server is no longer the primary: another line may lead to its successor. */
export function isDemoted({ message }: Error): boolean {
  return /^READONLY\b|: -READONLY /.test(message)
}
