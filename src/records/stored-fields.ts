// Names of fields in Redis hashes and streams: left as the code says them, right as they are stored. The stored names are
// those of the first version. They stay, because in a rolling upgrade processes of both versions work on the same uploads:
// an older one would take a session without `off` for an upload at offset 0, and publish an event again without `a`.

/** `sn:hot:{id}`: an upload session. `UploadSession` tells what each field means. */
export const SESSION_FIELDS = {
  draft: 'd',
  slotKey: 'pl',
  size: 'size',
  offset: 'off',
  status: 'st',
  version: 'ver',
  expiresAtMs: 'exp',
  storedAtMs: 'sat',
  multipartId: 'mpu',
  partBytes: 'pb',
  tailKey: 'tail',
  inFlight: 'fly',
  fence: 'fence',
  holder: 'holder',
  leaseUntilMs: 'lease',
  runId: 'run',
  restored: 'rs',
  clientGone: 'gone',
} as const

/**
 * `sn:record:{id}` and `sn:head:{portal}/{id}`: the newest version of a record, the newest whose event is published, and of an
 * upload the newest of which a commit has begun.
 */
export const CACHE_FIELDS = {
  version: 'v',
  runId: 'run',
  json: 'json',
  publishedVersion: 'a',
  begunVersion: 'b',
} as const

/**
 * `sn:sequence:{portal}/{id}`: the last sequence number given out; of the events that have records of their own, whether
 * the submission was complete at the newest, its sequence number, and the newest version that is published.
 */
export const SEQUENCE_FIELDS = {
  last: 'n',
  runId: 'run',
  complete: 'complete',
  eventSequence: 'announced',
  publishedVersion: 'news',
} as const

/** `sn:events:…`: entries of the streams. `restored` marks one that was put back from the store. */
export const STREAM_FIELDS = { event: 'e', submissionId: 's', restored: 'r' } as const
