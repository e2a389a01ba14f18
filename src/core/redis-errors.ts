// Errors of Redis and its client while Redis is not usable: temporary, or to be fixed by an operator, never
// caused by the caller.

/**
 * The first word of error replies caused by the server's state, from Redis' list of errors. The last three
 * are from a changed password or changed permissions.
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
/** Older servers prefix errors in scripts: `ERR Error running script …: -OOM command not allowed …`. */
const REFUSED = new RegExp(`^(?:${REFUSALS.join('|')})\\b|: -(?:${REFUSALS.join('|')}) `)
/** Missing permissions in a script, and too many connections. */
const REFUSED_OTHERWISE = /^ERR (?:The user executing the script can't|max number of clients)|^ACL failure in script/

/** Errors of ioredis for commands without a reply; most have no class. */
const UNANSWERED =
  /^(?:Connection is closed\.|Command timed out|Too many Cluster redirections|Cluster isn't ready|Cluster is ended|None of startup nodes is available|Failed to refresh slots cache|Stream isn't writeable and enableOfflineQueue options is false|Reached the max retries per request limit)/

/** True if Redis refused because of its state, or did not reply; false for wrong commands and failing scripts. */
export function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error.name === 'ReplyError') return isRefusal(error)
  return UNANSWERED.test(error.message)
}

/** True for a refusal because of the state of the server. */
export function isRefusal({ message }: Error): boolean {
  return REFUSED.test(message) || REFUSED_OTHERWISE.test(message)
}

/** True if the server is no longer the primary: a new connection may reach the new one. */
export function isDemoted({ message }: Error): boolean {
  return /^READONLY\b|: -READONLY /.test(message)
}
