// Finished uploads of the real shape: two of each submission, with the versions, renditions and index entries that they have at
// the end of their life. One submission in twenty changed lately; the others are a month old.

import { isoTime } from '../../src/core/clock.ts'
import { receivingRecord } from '../../src/lifecycle/transitions.ts'
import { FindIndex } from '../../src/ops/find/find-index.ts'
import { wordsOfHead, wordsOfUpload } from '../../src/ops/find/words.ts'
import { objectKeys } from '../../src/records/keys.ts'
import type { SubmissionHead } from '../../src/records/submission-head.ts'
import type { Measured, Rendition, UploadRecord } from '../../src/records/upload-record.ts'
import { versionKey } from '../../src/records/version-log.ts'
import { draftFor, newHead, OWNER } from '../../test/support/drafts.ts'
import type { Environment } from '../../test/support/environment.ts'
import { reached } from '../../test/support/records.ts'
import type { AnsweringStore } from './answering-store.ts'

const VERSIONS = 8
/** By version: what an upload tells on its way. */
const EVENTS = [
  null,
  'upload.created',
  'upload.stored',
  null,
  'upload.accepted',
  null,
  null,
  'upload.playable',
  'upload.ready',
]
const HEAD_VERSIONS = 2
const BATCH = 64
const DAY_MS = 86_400_000
const RECENT_OF = 20

export type Seeded = { uploads: string[]; submissions: string[] }

/** Adds so many finished uploads to the store and to Redis. */
export async function seed(stack: Environment, store: AnsweringStore, uploads: number): Promise<Seeded> {
  const seeded: Seeded = { uploads: [], submissions: [] }
  for (let n = 0; n < uploads / 2; n += BATCH) {
    const some = Array.from({ length: Math.min(BATCH, uploads / 2 - n) }, (_, i) => n + i)
    await Promise.all(some.map((number) => seedSubmission(stack, store, number, seeded)))
  }
  return seeded
}

async function seedSubmission(stack: Environment, store: AnsweringStore, n: number, seeded: Seeded): Promise<void> {
  const { heads, index, redis, uploads } = stack.deps
  const id = `2569-${String(n).padStart(7, '0')}`
  const atMs = Date.now() - (n % RECENT_OF === 0 ? 2 : 30) * DAY_MS
  const head = headOf(id, n, atMs)
  const records = [recordOf(id, 'plan', n, atMs, 3), recordOf(id, 'film', n, atMs, 12)]
  seedVersions(store, objectKeys.submission(OWNER, id), HEAD_VERSIONS, head, () => null)
  const event = { schema: 1, sequence: 20, complete: true, envelope: eventOf(id, atMs) }
  seedVersions(
    store,
    objectKeys.news(OWNER, id),
    1,
    { ...event, nonce: 'n', committedAt: isoTime(atMs), version: 1 },
    () => null,
  )
  for (const record of records) {
    seedVersions(store, objectKeys.uploadRecord(record.id), VERSIONS, record, (version) => EVENTS[version] ?? null)
    const nothing = { bytes: record.receivedBytes, read: () => Buffer.alloc(0) }
    store.seed(objectKeys.data(record.id), nothing)
    for (const { key } of record.renditions) if (key !== undefined) store.seed(key, nothing)
  }
  await heads.latest(OWNER, id)
  for (const record of records) await uploads.restore(record)
  await index.seedSequence(OWNER, id, 24, records)
  await new FindIndex(redis.hot).add(
    { owner: OWNER, submissionId: id },
    [...wordsOfHead(head), ...records.flatMap(wordsOfUpload)],
    Date.parse(head.deadline ?? ''),
  )
  seeded.submissions.push(id)
  seeded.uploads.push(...records.map((record) => record.id))
}

function seedVersions(
  store: AnsweringStore,
  prefix: string,
  versions: number,
  newest: object,
  eventOfVersion: (version: number) => string | null,
): void {
  const body = Buffer.from(JSON.stringify(newest))
  // From its text, which is outside of the heap: a million records would not fit otherwise.
  const earlier = (version: number) => {
    const record = JSON.parse(body.toString()) as object
    return Buffer.from(JSON.stringify({ ...record, version, event: eventOfVersion(version), sequence: 10 + version }))
  }
  for (let version = 1; version <= versions; version++)
    store.seed(versionKey(prefix, version), {
      bytes: body.length,
      read: () => (version === versions ? body : earlier(version)),
    })
}

function headOf(id: string, n: number, atMs: number): SubmissionHead {
  const said = newHead(id, {
    profile: 'intake@1',
    deadline: '2099-09-30T16:59:59.000Z',
    uniqueKey: `person-${n}/2569-1`,
    metadata: { name: `ครู สมชาย ${n}`, school: `โรงเรียนบ้านหนองแวง ${n % 800}`, position: 'ครู', rank: 'ชำนาญการพิเศษ' },
    createdAt: isoTime(atMs),
    updatedAt: isoTime(atMs),
  })
  return { ...said, version: HEAD_VERSIONS, nonce: 'n'.repeat(24), committedAt: isoTime(atMs) }
}

function recordOf(submissionId: string, slot: string, n: number, atMs: number, checks: number): UploadRecord {
  const filename = slot === 'plan' ? `แผนการสอน ${n}.pdf` : `คลิปการสอน ${n}.mp4`
  const draft = draftFor(submissionId, {
    slot,
    subject: `teacher-${n}`,
    declared: { filename, type: slot === 'plan' ? 'application/pdf' : 'video/mp4', bytes: 900_000_000 },
    metadata: { filename, filetype: 'video/mp4' },
    createdAt: isoTime(atMs),
  })
  const object = { key: objectKeys.data(draft.id) }
  const renditions = ['video', 'poster', 'page'].map((name): Rendition => {
    const key = objectKeys.rendition(draft.id, 'a'.repeat(24), `${name}.mp4`)
    const bytes = 100_000_000
    return {
      name,
      kind: 'mp4',
      required: true,
      state: 'ready',
      key,
      contentType: 'video/mp4',
      width: 1280,
      height: 720,
      bytes,
      sha256: 'b'.repeat(64),
      durationSeconds: 3500,
    }
  })
  const ready = reached(receivingRecord(draft, object, 1), 'ready', {
    sequence: 18,
    atMs,
    measured: slot === 'plan' ? { kind: 'pdf', container: 'pdf', pages: 3, encrypted: false } : FILM,
    checks: Array.from({ length: checks }, (_, i) => ({ name: `check-${i}`, state: 'passed' as const })),
    renditions,
    sha256: 'c'.repeat(64),
  })
  return { ...ready, version: VERSIONS, nonce: 'n'.repeat(24), committedAt: isoTime(atMs) }
}

const FILM: Measured = {
  kind: 'video',
  container: 'mp4',
  durationSeconds: 3500.2,
  headerDurationSeconds: 3500.2,
  width: 1920,
  height: 1080,
  rotation: 0,
  framesPerSecond: 30,
  videoCodec: 'h264',
  audioCodec: 'aac',
  audioChannels: 2,
  audioTracks: 1,
  videoStream: 0,
  audioStream: 1,
  videoDurationSeconds: 3500.2,
  audioDurationSeconds: 3500.2,
  indexFirst: true,
  complete: true,
  meanVolumeDb: -21.3,
}

function eventOf(submissionId: string, atMs: number) {
  const data = { sequence: 20, submissionId, revision: 1, state: 'open' }
  const body = { id: `evt_${submissionId}`, type: 'submission.complete', timestamp: isoTime(atMs), data }
  return { owner: OWNER, submissionId, body }
}
