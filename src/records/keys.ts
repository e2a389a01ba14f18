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
}

/** Keys in Redis, which can be rebuilt from the object store. */
export const redisKeys = {
  hot: (id: string) => `sn:hot:${id}`,
  parts: (id: string) => `sn:parts:${id}`,
  record: (id: string) => `sn:record:${id}`,
  head: (owner: string, submissionId: string) => `sn:head:${owner}/${submissionId}`,
  /** Sorted set: upload ids of a submission by creation time. */
  uploadsOf: (owner: string, submissionId: string) => `sn:uploads:${owner}/${submissionId}`,
  /** Sorted set: submission ids of a portal by last change. */
  submissionsOf: (owner: string) => `sn:submissions:${owner}`,
  /** Hash: submission id → time of its last change, and whether it was complete then. */
  completeness: (owner: string) => `sn:completeness:${owner}`,
  sequence: (owner: string, submissionId: string) => `sn:sequence:${owner}/${submissionId}`,
  /** Sorted set: submissions (`owner/id`) of which Redis has more than their entry in the lists, by the time of the last look. */
  loaded: 'sn:loaded',
  /** Sorted set: uploads with due work, by the time of the next check. */
  due: 'sn:due',
  /** Sorted set: submissions (`owner/id`) with due work, by the time of the next check. */
  dueSubmissions: 'sn:due-submissions',
  /** Sorted set: open submissions with a deadline (`owner/id`), by when to look at them because of it. */
  dueDates: 'sn:due-dates',
  /** The same as `dueSubmissions`, of deleted ones. */
  dueErasures: 'sn:due-erasures',
  /** List: attempts of a submission that are not yet in the store. */
  attempts: (owner: string, submissionId: string) => `sn:attempts:${owner}/${submissionId}`,
  /** Sorted set: submissions (`owner/id`) with such attempts, by when to write them. */
  dueAttempts: 'sn:due-attempts',
  /** Rate limit of a subject (hashed): its theoretical arrival time. */
  rate: (what: string, owner: string, subject: string) => `sn:rate:${what}:${owner}/${subject}`,
  /** Sorted set: a person's (hashed) uploads that may be unfinished, by when they were created. */
  openOf: (owner: string, person: string) => `sn:open:${owner}/${person}`,
  /** Sorted set: a person's (hashed) uploads that a lane has to work on, by when they came to it. */
  inLane: (lane: string, owner: string, person: string) => `sn:in-lane:${lane}:${owner}/${person}`,
  /** Stream: a portal's events of the last days. */
  events: (owner: string) => `sn:events:${owner}`,
  /** Stream: a submission's events, for reconnecting pages. */
  submissionEvents: (owner: string, submissionId: string) => `sn:events:${owner}/${submissionId}`,
  /** Set: portals that have events. */
  owners: 'sn:owners',
  /** Redis run id under which the lists are complete. */
  whole: 'sn:whole',
  /** The same for the event log. */
  wholeEvents: 'sn:whole-events',
  /** The same for `dueDates`. */
  wholeDates: 'sn:whole-dates',
  /** Set: portals whose webhooks must be re-queued after a loss of the queue. */
  requeue: 'sn:requeue',
  /** Token of the process that rebuilds them. */
  rebuilding: 'sn:rebuilding',
  /** Epoch of a portal's event log; changes with every restore. */
  eventEpoch: (owner: string) => `sn:event-epoch:${owner}`,
  /** Sorted set: events to restore into a stream, by time. */
  restoring: (token: string, stream: string) => `sn:restoring:${token}:${stream}`,
  /** A webhook endpoint that answered 410 Gone. */
  webhookGone: (owner: string, url: string) =>
    `sn:webhook-gone:${createHash('sha256').update(`${owner}\n${url}`).digest('base64url')}`,
  /** Channel: submissions (`owner/id`) with a new revocation. */
  revoked: 'sn:revoked',
  /** Channel: live events. */
  live: 'sn:live',
  progress: (id: string) => `sn:progress:${id}`,
  /** Token of whoever makes one object of an upload's parts; `done` once there is one. */
  assembly: (id: string) => `sn:assembly:${id}`,
  /** When the parts of a stored upload were first not to be found. */
  lostSince: (id: string) => `sn:lost-since:${id}`,
  fingerprint: (owner: string, submissionId: string, slot: string, length: string, fingerprint: string) =>
    `sn:fingerprint:${createHash('sha256').update([owner, submissionId, slot, length, fingerprint].join('\n')).digest('base64url')}`,
  process: (channel: string) => `sn:process:${channel}`,

  /** Hash: the control settings of operators. */
  controls: 'sn:controls',
  /** Stream: security events of the last months, of one kind. */
  security: (kind: string) => `sn:security:${kind}`,
  /** When an address or account (hashed) has all its wrong credentials forgiven. */
  guesses: (name: string) => `sn:guesses:${name}`,
  /** A caller (hashed) that was let in before. */
  knownCaller: (name: string) => `sn:known-caller:${name}`,
  /** List: changes of control settings, newest first, by versions before the security log. */
  controlLog: 'sn:control-log',
  /** Hash: heartbeats of all service and worker processes. */
  processes: 'sn:processes',
  /** Hash: counts of all processes in one bucket of `seconds`. */
  tally: (seconds: number, bucket: number) => `sn:tally:${seconds}:${bucket}`,
  /** Hash: submission (`owner/id`) → its searchable texts. */
  find: 'sn:find',
  /** Hash: submission (`owner/id`) → its deadline, as counted in `deadlines`. */
  findDeadlines: 'sn:find-deadlines',
  /** Sorted set: deadlines (milliseconds) by number of submissions. */
  deadlines: 'sn:deadlines',
  /** Hash: submission (`owner/id`) → its place in `standings`. */
  standingOf: 'sn:standing-of',
  /** Sorted set without scores: submissions by deadline, profile and how they stand. */
  standings: 'sn:standings',
  /** Sorted set: deadline and profile, by deadline. */
  standingGroups: 'sn:standing-groups',
  /**
   * Hash: position of the follower of search index and standings in the changes of each portal. Not the name that versions
   * without standings use: what those have followed is followed again.
   */
  findMarks: 'sn:follow-marks',
  /** Lock of the process that follows them. */
  findLock: 'sn:find-lock',
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
