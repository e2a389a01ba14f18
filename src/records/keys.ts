// Every name in the object store and in Redis, in one place.

import { createHash } from 'node:crypto'
import { shardOfSubmission, shardOfUpload } from '../core/ids.ts'

/** One name within a key. Whoever hands in an unchecked one must not reach what belongs to another. */
function name(text: string): string {
  if (text === '' || text === '.' || text === '..' || /[/\\\0]/.test(text))
    throw new Error(`not a name in a key: ${text}`)
  return text
}

/** Object store. All that belongs to an upload lies under one prefix that its id alone determines. */
export const objectKeys = {
  uploads: 'uploads/',
  submissions: 'submissions/',
  submissionUploads: (owner: string, submissionId: string) => `uploads/${shardOfSubmission(owner, submissionId)}/`,
  upload: (id: string) => `uploads/${shardOfUpload(id)}/${id}/`,
  /** Beside the bytes, so that one fsync of one folder makes both names durable. */
  uploadRecord: (id: string) => `uploads/${shardOfUpload(id)}/${id}/record-`,
  /** The received bytes as one file, or as the object that a multipart upload becomes. */
  data: (id: string) => `uploads/${shardOfUpload(id)}/${id}/data`,
  /** A whole small upload in one object whose user metadata is its first record. */
  single: (id: string, token: string) => `uploads/${shardOfUpload(id)}/${id}/one-${token}`,
  /** Bytes behind the last whole part. The name tells where they belong; the token that nobody else writes there. */
  tail: (id: string, offset: number, token: string) =>
    `uploads/${shardOfUpload(id)}/${id}/tail-${String(offset).padStart(14, '0')}-${token}`,
  /** Local: where writing went on when a former holder might still write to the file before. */
  segment: (id: string, offset: number, token: string) =>
    `uploads/${shardOfUpload(id)}/${id}/seg-${String(offset).padStart(14, '0')}-${token}`,
  rendition: (id: string, token: string, file: string) =>
    `uploads/${shardOfUpload(id)}/${id}/out/${token}/${name(file)}`,
  submission: (owner: string, submissionId: string) => `submissions/${name(owner)}/${name(submissionId)}/`,
  uniqueKey: (owner: string, uniqueKey: string) =>
    `unique/${name(owner)}/${createHash('sha256').update(uniqueKey).digest('hex')}/`,
  /** Every attempt to create an upload of a submission, one object a flush. */
  attempts: (owner: string, submissionId: string) => `attempts/${name(owner)}/${name(submissionId)}/`,
  /** Events that no version of an upload or of a head stands for: a submission became complete, a file was replaced. */
  news: (owner: string, submissionId: string) => `news/${name(owner)}/${name(submissionId)}/`,
  /** Webhooks that were delivered, by the day of their event (UTC), so that a day's can be listed and removed. */
  deliveries: (owner: string) => `deliveries/${name(owner)}/`,
  delivery: (owner: string, day: string, jobId: string) => `deliveries/${name(owner)}/${name(day)}/${name(jobId)}`,
  /** Public halves of the keys that receipts were ever signed with. */
  receiptKeys: 'receipt-keys/',
}

/** Redis. Everything in it can be rebuilt from the object store. */
export const redisKeys = {
  hot: (id: string) => `sn:hot:${id}`,
  parts: (id: string) => `sn:parts:${id}`,
  record: (id: string) => `sn:record:${id}`,
  head: (owner: string, submissionId: string) => `sn:head:${owner}/${submissionId}`,
  /** Sorted set: upload ids of a submission by creation time. */
  uploadsOf: (owner: string, submissionId: string) => `sn:uploads:${owner}/${submissionId}`,
  /** Sorted set: submission ids of a portal by last change. */
  submissionsOf: (owner: string) => `sn:submissions:${owner}`,
  sequence: (owner: string, submissionId: string) => `sn:sequence:${owner}/${submissionId}`,
  /** Sorted set: uploads on which something is due, by when to look. */
  due: 'sn:due',
  /** Sorted set: submissions (`owner/id`) on which something is due, by when to look. */
  dueSubmissions: 'sn:due-submissions',
  /** List: attempts of a submission that are not in the store yet. */
  attempts: (owner: string, submissionId: string) => `sn:attempts:${owner}/${submissionId}`,
  /** Sorted set: submissions (`owner/id`) with such attempts, by when to write them. */
  dueAttempts: 'sn:due-attempts',
  /** When a subject (hashed) will have earned what it was allowed. */
  rate: (what: string, owner: string, subject: string) => `sn:rate:${what}:${owner}/${subject}`,
  /** Sorted set: a person's (hashed) uploads that may be unfinished, by when they were created. */
  openOf: (owner: string, person: string) => `sn:open:${owner}/${person}`,
  /** Sorted set: a person's (hashed) uploads that a lane has to work on, by when they came to it. */
  inLane: (lane: string, owner: string, person: string) => `sn:in-lane:${lane}:${owner}/${person}`,
  /** Stream: a portal's events of the last days. */
  events: (owner: string) => `sn:events:${owner}`,
  /** Stream: a submission's events, for pages that come back. */
  submissionEvents: (owner: string, submissionId: string) => `sn:events:${owner}/${submissionId}`,
  /** Set: portals that have events. */
  owners: 'sn:owners',
  /** Run id of the Redis whose lists are known to hold everything that is in the store. */
  whole: 'sn:whole',
  /** The same of the event log. */
  wholeEvents: 'sn:whole-events',
  /** Set: portals whose webhooks are to be queued again, since the queue was lost. */
  requeue: 'sn:requeue',
  /** Token of whoever is making them so. */
  rebuilding: 'sn:rebuilding',
  /** Names the order of a portal's event log; another one since events were put back into it. */
  eventEpoch: (owner: string) => `sn:event-epoch:${owner}`,
  /** Sorted set: events on their way back into a stream, by their time. */
  restoring: (token: string, stream: string) => `sn:restoring:${token}:${stream}`,
  /** An endpoint of a portal that answered 410 Gone. */
  webhookGone: (owner: string, url: string) =>
    `sn:webhook-gone:${createHash('sha256').update(`${owner}\n${url}`).digest('base64url')}`,
  /** Channel: events as they happen. */
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
  /** List: who switched what, newest first. */
  controlLog: 'sn:control-log',
  /** Hash: every process of the service and every worker, as it last said of itself. */
  processes: 'sn:processes',
  /** Hash: what all processes counted within one bucket of `seconds`. */
  tally: (seconds: number, bucket: number) => `sn:tally:${seconds}:${bucket}`,
  /** Hash: submission (`owner/id`) → the words by which people look for it. */
  find: 'sn:find',
  /** Hash: submission (`owner/id`) → its deadline, as counted in `deadlines`. */
  findDeadlines: 'sn:find-deadlines',
  /** Sorted set: deadlines (milliseconds) by how many submissions have them. */
  deadlines: 'sn:deadlines',
  /** Hash: how far the search index has followed the changes of each portal. */
  findMarks: 'sn:find-marks',
  /** Held by the process that follows them. */
  findLock: 'sn:find-lock',
}

export function uploadIdOfKey(key: string): string | undefined {
  return /^uploads\/[0-9a-f]{6}\/([a-z2-7]{40})\//.exec(key)?.[1]
}

/** The submission whose head a key belongs to. */
export function submissionOfKey(key: string): { owner: string; id: string } | undefined {
  const [, owner, id] = /^submissions\/([^/]+)\/([^/]+)\//.exec(key) ?? []
  return owner === undefined || id === undefined ? undefined : { owner, id }
}
