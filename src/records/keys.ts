// All keys in the object store and in Redis.

import { createHash } from 'node:crypto'
import { shardOfSubmission, shardOfUpload } from '../core/ids.ts'

/** One component of a key; throws for names that could reach another prefix. */
function name(text: string): string {
  if (text === '' || text === '.' || text === '..' || /[/\\\0]/.test(text))
    throw new Error(`invalid key component: ${text}`)
  return text
}

/** Keys in the object store. Everything of an upload is under one prefix, determined by its id. */
export const objectKeys = {
  uploads: 'uploads/',
  submissions: 'submissions/',
  submissionUploads: (owner: string, submissionId: string) => `uploads/${shardOfSubmission(owner, submissionId)}/`,
  upload: (id: string) => `uploads/${shardOfUpload(id)}/${id}/`,
  /** Beside the bytes, so that one fsync of the folder makes both durable. */
  uploadRecord: (id: string) => `uploads/${shardOfUpload(id)}/${id}/record-`,
  /** The received bytes as one file or object. */
  data: (id: string) => `uploads/${shardOfUpload(id)}/${id}/data`,
  /** A small upload in one object, with its first record as user metadata. */
  single: (id: string, token: string) => `uploads/${shardOfUpload(id)}/${id}/one-${token}`,
  tails: (id: string) => `uploads/${shardOfUpload(id)}/${id}/tail-`,
  /** Bytes after the last complete part. The name has their offset, and a token to make it unique. */
  tail: (id: string, offset: number, token: string) =>
    `uploads/${shardOfUpload(id)}/${id}/tail-${String(offset).padStart(14, '0')}-${token}`,
  /** Local store: a new file when a former holder might still write to the file before. */
  segment: (id: string, offset: number, token: string) =>
    `uploads/${shardOfUpload(id)}/${id}/seg-${String(offset).padStart(14, '0')}-${token}`,
  rendition: (id: string, token: string, file: string) =>
    `uploads/${shardOfUpload(id)}/${id}/out/${token}/${name(file)}`,
  submission: (owner: string, submissionId: string) => `submissions/${name(owner)}/${name(submissionId)}/`,
  /** What the lists need of all quiet shards that begin with these two hex digits. */
  checkpoint: (part: string) => `checkpoint/${name(part)}`,
  uniqueKeys: 'unique/',
  /** Who holds a `uniqueKey`; `hash` is the name that UniqueKeys gives it. */
  uniqueKey: (owner: string, hash: string) => `unique/${name(owner)}/${name(hash)}/`,
  /** Attempts of a submission, one object per flush. */
  attempts: (owner: string, submissionId: string) => `attempts/${name(owner)}/${name(submissionId)}/`,
  /** Events without a version of an upload or head: a submission became complete, a file was replaced. */
  news: (owner: string, submissionId: string) => `news/${name(owner)}/${name(submissionId)}/`,
  /** Delivered webhooks, by the day of their event (UTC), so that a day can be listed and removed. */
  deliveries: (owner: string) => `deliveries/${name(owner)}/`,
  delivery: (owner: string, day: string, jobId: string) => `deliveries/${name(owner)}/${name(day)}/${name(jobId)}`,
  /** Public keys of all receipts. */
  receiptKeys: 'receipt-keys/',
  /** When each service was alive, one object a service. */
  heartbeats: 'heartbeats/',
  heartbeat: (instance: string) => `heartbeats/${name(instance)}.json`,
  /** The outage ledger: one object an outage, named by its beginning. */
  outages: 'outages/',
  outage: (id: string) => `outages/${name(id)}.json`,
  /** Files of a portal with the same bytes, by their ids; `hash` is the name that SameContent gives the bytes. */
  contents: (owner: string, hash: string) => `contents/${name(owner)}/${name(hash)}/`,
  /** The key of these hashes. */
  contentKey: 'content-key',
}

/** Names a key. In a Redis Cluster all keys with one `group` are on one node, so that a script may use them together. */
type Namer = (group: (() => string) | null, name: string) => string
const ON_ONE_SERVER: Namer = (_, name) => `sn:${name}`
const IN_A_CLUSTER: Namer = (group, name) => (group === null ? `sn:${name}` : `sn:{${group()}}:${name}`)

/**
 * Groups of uploads and submissions in a cluster. An upload is in the group of its submission. More than a cluster has
 * nodes, and few enough to ask each for what is due.
 */
const GROUPS = 64
const groupOf = (shard: string) => `g${Number.parseInt(shard, 16) % GROUPS}`
const groupOfUpload = (id: string) => groupOf(shardOfUpload(id))
const groupOfSubmission = (owner: string, submissionId: string) => groupOf(shardOfSubmission(owner, submissionId))
const EVERY_GROUP = Array.from({ length: GROUPS }, (_, i) => `g${i}`)
/** What is one for all portals: their logs and lists, and whether these are complete. */
const PORTALS = () => 'portals'
/** The search of the console. */
const FIND = () => 'find'
/** Its counts. */
const TALLY = () => 'tally'
/** Wrong credentials. */
const GUESSES = () => 'guesses'

/** The sorted sets of what is due, by the time of the next check. In a cluster one of each for every group. */
export type DueList =
  /** Uploads. */
  | 'due'
  /** Submissions (`owner/id`). */
  | 'due-submissions'
  /** The same of deleted ones. */
  | 'due-erasures'
  /** Submissions (`owner/id`) with attempts that are not in the store. */
  | 'due-attempts'

export type RedisKeys = ReturnType<typeof namedBy>

function namedBy(named: Namer, groups: readonly string[]) {
  const ofUpload = (id: string, name: string) => named(() => groupOfUpload(id), name)
  const ofSubmission = (owner: string, submissionId: string, name: string) =>
    named(() => groupOfSubmission(owner, submissionId), name)
  const ofPortals = (name: string) => named(PORTALS, name)
  return {
    hot: (id: string) => ofUpload(id, `hot:${id}`),
    parts: (id: string) => ofUpload(id, `parts:${id}`),
    record: (id: string) => ofUpload(id, `record:${id}`),
    head: (owner: string, submissionId: string) => ofSubmission(owner, submissionId, `head:${owner}/${submissionId}`),
    /** Sorted set: upload ids of a submission by creation time. */
    uploadsOf: (owner: string, submissionId: string) =>
      ofSubmission(owner, submissionId, `uploads:${owner}/${submissionId}`),
    /** Sorted set: submission ids of a portal by last change. */
    submissionsOf: (owner: string) => ofPortals(`submissions:${owner}`),
    /** Hash: submission id → time of its last change, and whether it was complete then. */
    completeness: (owner: string) => ofPortals(`completeness:${owner}`),
    /** Sorted set: submissions (`owner/id`) of which Redis has more than their entry in the lists, by the time of the last look. */
    loaded: ofPortals('loaded'),
    sequence: (owner: string, submissionId: string) =>
      ofSubmission(owner, submissionId, `sequence:${owner}/${submissionId}`),
    /** The newest published version of a record. On one server a field of `key`, its cache; in a cluster beside the events. */
    published: (key: string) => (named === ON_ONE_SERVER ? key : ofPortals(`published:${key}`)),
    /** The list in which an upload is due. */
    due: (id: string) => ofUpload(id, 'due'),
    /** The list in which a submission is due. */
    dueOf: (list: Exclude<DueList, 'due'>, owner: string, submissionId: string) =>
      ofSubmission(owner, submissionId, list),
    /** All lists of one kind. */
    everyDue: (list: DueList) => [...new Set(groups.map((group) => named(() => group, list)))],
    /** List: attempts of a submission that are not yet in the store. */
    attempts: (owner: string, submissionId: string) =>
      ofSubmission(owner, submissionId, `attempts:${owner}/${submissionId}`),
    /** Rate limit of a subject (hashed): its theoretical arrival time. */
    rate: (what: string, owner: string, subject: string) => named(null, `rate:${what}:${owner}/${subject}`),
    /** Sorted set: a person's (hashed) uploads that may be unfinished, by when they were created. */
    openOf: (owner: string, person: string) => named(null, `open:${owner}/${person}`),
    /** Sorted set: a person's (hashed) uploads that a lane has to work on, by when they came to it. */
    inLane: (lane: string, owner: string, person: string) => named(null, `in-lane:${lane}:${owner}/${person}`),
    /** Stream: a portal's events of the last days. */
    events: (owner: string) => ofPortals(`events:${owner}`),
    /** Stream: a submission's events, for reconnecting pages. */
    submissionEvents: (owner: string, submissionId: string) => ofPortals(`events:${owner}/${submissionId}`),
    /** Set: portals that have events. */
    owners: ofPortals('owners'),
    /** Redis run id under which the lists are complete. */
    whole: ofPortals('whole'),
    /** The same for the event log. */
    wholeEvents: ofPortals('whole-events'),
    /** The same for `dueDates`. */
    wholeDates: ofPortals('whole-dates'),
    /** Sorted set: open submissions with a deadline (`owner/id`), by when to look at them because of it. */
    dueDates: ofPortals('due-dates'),
    /** Set: portals whose webhooks must be re-queued after a loss of the queue. */
    requeue: ofPortals('requeue'),
    /** Token of the process that rebuilds them. */
    rebuilding: ofPortals('rebuilding'),
    /** Epoch of a portal's event log; changes with every restore. */
    eventEpoch: (owner: string) => ofPortals(`event-epoch:${owner}`),
    /** Sorted set: events to restore into a stream, by time. */
    restoring: (token: string, stream: string) => ofPortals(`restoring:${token}:${stream}`),
    /** A webhook endpoint that answered 410 Gone. */
    webhookGone: (owner: string, url: string) =>
      named(null, `webhook-gone:${createHash('sha256').update(`${owner}\n${url}`).digest('base64url')}`),
    progress: (id: string) => ofUpload(id, `progress:${id}`),
    /** Token of whoever makes one object of an upload's parts; `done` once there is one. */
    assembly: (id: string) => ofUpload(id, `assembly:${id}`),
    /** When the parts of a stored upload were first not to be found. */
    lostSince: (id: string) => ofUpload(id, `lost-since:${id}`),
    fingerprint: (owner: string, submissionId: string, slot: string, length: string, fingerprint: string) => {
      const digest = createHash('sha256').update([owner, submissionId, slot, length, fingerprint].join('\n'))
      return ofSubmission(owner, submissionId, `fingerprint:${digest.digest('base64url')}`)
    },
    /** Hash: the control settings of operators. */
    controls: named(null, 'controls'),
    /** Stream: security events of the last months, of one kind. */
    security: (kind: string) => named(null, `security:${kind}`),
    /** When an address or account (hashed) has all its wrong credentials forgiven. */
    guesses: (name: string) => named(GUESSES, `guesses:${name}`),
    /** A caller (hashed) that was let in before. */
    knownCaller: (name: string) => named(null, `known-caller:${name}`),
    /** List: changes of control settings, newest first, by versions before the security log. */
    controlLog: named(null, 'control-log'),
    /** Hash: heartbeats of all service and worker processes. */
    processes: named(null, 'processes'),
    /** Hash: counts of all processes in one bucket of `seconds`. */
    tally: (seconds: number, bucket: number) => named(TALLY, `tally:${seconds}:${bucket}`),
    /** Hash: submission (`owner/id`) → its searchable texts. */
    find: named(FIND, 'find'),
    /** Hash: submission (`owner/id`) → its deadline, as counted in `deadlines`. */
    findDeadlines: named(FIND, 'find-deadlines'),
    /** Sorted set: deadlines (milliseconds) by number of submissions. */
    deadlines: named(FIND, 'deadlines'),
    /** Hash: submission (`owner/id`) → its place in `standings`. */
    standingOf: named(FIND, 'standing-of'),
    /** Sorted set without scores: submissions by deadline, profile and how they stand. */
    standings: named(FIND, 'standings'),
    /** Sorted set: deadline and profile, by deadline. */
    standingGroups: named(FIND, 'standing-groups'),
    /**
     * Hash: position of the follower of search index and standings in the changes of each portal. Not the name that versions
     * without standings use: what those have followed is followed again.
     */
    findMarks: named(FIND, 'follow-marks'),
    /** Lock of the process that follows them. */
    findLock: named(FIND, 'find-lock'),
  }
}

/** Keys on one server, which is also a primary under Sentinels. They have the names of the first version. */
export const redisKeys = namedBy(ON_ONE_SERVER, EVERY_GROUP)
const clusterKeys = namedBy(IN_A_CLUSTER, EVERY_GROUP)

/** Keys in Redis, which can be rebuilt from the object store. */
export function redisKeysOf(redis: { isCluster: boolean }): RedisKeys {
  return redis.isCluster ? clusterKeys : redisKeys
}

/** Channels; every node of a cluster passes them on. */
export const channels = {
  /** Submissions (`owner/id`) with a new revocation. */
  revoked: 'sn:revoked',
  /** Live events. */
  live: 'sn:live',
}

export function uploadIdOfKey(key: string): string | undefined {
  return /^uploads\/[0-9a-f]{6}\/([a-z2-7]{40})\//.exec(key)?.[1]
}

/** The parts of a key under `uniqueKeys`. */
export function uniqueKeyOf(key: string): { owner: string; hash: string } | undefined {
  const [, owner, hash] = /^unique\/([^/]+)\/([^/]+)\/\d+\.json$/.exec(key) ?? []
  return owner === undefined || hash === undefined ? undefined : { owner, hash }
}

/** The submission whose head a key belongs to. */
export function submissionOfKey(key: string): { owner: string; id: string } | undefined {
  const [, owner, id] = /^submissions\/([^/]+)\/([^/]+)\//.exec(key) ?? []
  return owner === undefined || id === undefined ? undefined : { owner, id }
}
