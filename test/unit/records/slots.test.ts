// In a cluster the keys of one command lie on one node if they are of one group. Every command with several keys is called
// here as the service calls it, over a connection that only notes the keys.

import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { createLogger } from '../../../src/core/logger.ts'
import type { RedisConnection } from '../../../src/core/redis.ts'
import { RunId } from '../../../src/core/run-id.ts'
import { StreamRestore } from '../../../src/events/restore.ts'
import { AttemptJournal } from '../../../src/evidence/attempt-journal.ts'
import { LANES, queuePrefix } from '../../../src/jobs/contract.ts'
import { FindIndex } from '../../../src/ops/find/find-index.ts'
import { putStanding } from '../../../src/ops/find/standings.ts'
import { addToRollup } from '../../../src/ops/rollup.ts'
import { forgetUpload } from '../../../src/records/forget-upload.ts'
import { redisKeys, redisKeysOf } from '../../../src/records/keys.ts'
import { countOpenUploads } from '../../../src/records/open-uploads.ts'
import { unloadQuiet } from '../../../src/records/quiet-submissions.ts'
import { RecordIndex } from '../../../src/records/record-index.ts'
import { fingerprintKeysOf } from '../../../src/records/upload-records.ts'
import { newUploadSession } from '../../../src/records/upload-session.ts'
import { UploadSessionStore } from '../../../src/records/upload-session-store.ts'
import { draftFor, OWNER } from '../../support/drafts.ts'

type Call = { name: string; keys: string[] }

const REPLIES: Record<string, unknown> = {
  'create-session': ['created'],
  'lease-due-attempts': [],
  'first-waiting-jobs': ['a', 'b'],
  'count-open-uploads': [0, '0', 0, 0, '0'],
  'publish-version': 'ok',
  'publish-submission-event': 'ok',
  zrange: [],
  zrangebyscore: [`${OWNER}/S-1`],
  xrange: [],
  lrange: [],
  zcard: 1,
  mget: [],
  exec: [],
  nodes: [],
}

/** Commands of our own are called with the number of their keys. Of Redis' own, those of one transaction count as one command. */
function notingConnection(): { redis: RedisConnection; calls: Call[] } {
  const calls: Call[] = []
  const own = new Set<string>()
  const chain = (keys: string[]): unknown =>
    new Proxy(
      {},
      {
        get: (_, name) => (key?: string) => {
          if (name === 'exec') {
            calls.push({ name: 'multi', keys })
            return Promise.resolve([])
          }
          return chain([...keys, key ?? ''])
        },
      },
    )
  const redis = new Proxy(
    {},
    {
      has: (_, name) => own.has(String(name)),
      get(_, property) {
        const name = String(property)
        if (name === 'isCluster') return true
        if (name === 'defineCommand') return (defined: string) => own.add(defined)
        if (name === 'multi') return () => chain([])
        if (name === 'nodes') return () => []
        return (...args: (string | number)[]) => {
          if (own.has(name)) calls.push({ name, keys: args.slice(1, 1 + Number(args[0])).map(String) })
          if (name === 'mget' || name === 'del') calls.push({ name, keys: args.flat().map(String) })
          return Promise.resolve(REPLIES[name] ?? 1)
        }
      },
    },
  )
  return { redis: redis as RedisConnection, calls }
}

const logger = createLogger({ name: 'slots', level: 'silent' })
/** What a cluster's slot is of: the text in the first braces, or all of the name. */
const groupOf = (key: string) => /\{([^}]+)\}/.exec(key)?.[1] ?? key

/** Everything that has several keys, as the service does it. */
async function callAll(redis: RedisConnection): Promise<void> {
  const runId = new RunId(redis, logger)
  const index = new RecordIndex(redis, runId, systemClock)
  const hot = new UploadSessionStore(redis, runId, systemClock)
  for (const submissionId of ['S-1', null]) {
    const draft = draftFor(submissionId, { slot: 'film', fingerprint: 'a print' })
    const { id, owner } = draft
    const prints = fingerprintKeysOf(draft, hot.keys)
    const [fingerprintKey] = prints
    const print = fingerprintKey === undefined ? {} : { fingerprintKey }
    await hot.create(draft, { size: 10, expiresAtMs: 1, partBytes: 5, ...print })
    await hot.saveProgress(id, 'fence', { offset: 5, expiresAtMs: 1 })
    await hot.end(id, 'stored', 1, 10)
    await hot.endUnstored(id, 'expired', 1)
    await hot.restore(newUploadSession(draft, { size: 10, expiresAtMs: 1, partBytes: 5, holder: null }), [], null)
    await forgetUpload(redis, { id, owner, person: 'p', fingerprintKeys: prints })
    for (const dueAtMs of [1, null])
      await index.apply({
        cacheKey: index.keys.record(id),
        version: 1,
        json: '{}',
        owner,
        submissionId,
        upload: { id, createdAtMs: 1, dueAtMs },
        ...print,
        event: '{}',
        announce: true,
      })
  }
  const head = { cacheKey: index.keys.head(OWNER, 'S-1'), owner: OWNER, submissionId: 'S-1', event: '{}' }
  await index.apply({ ...head, version: 1, json: '{}', announce: true })
  await index.wholeUploadIds(OWNER, 'S-1').catch(() => undefined)
  await index.submissionsFrom(OWNER, 0, 0, 1).catch(() => undefined)
  const envelope = { owner: OWNER, submissionId: 'S-1' } as never
  const event = { schema: 1, version: 1, committedAt: '', nonce: '', sequence: 1, complete: true, envelope } as const
  await index.applyNews(OWNER, 'S-1', event, true)
  await index.seedSequence(OWNER, 'S-1', 1, [])
  await unloadQuiet({ index, hot, clock: systemClock })
  await index.completeness.mark({ token: 't', runId: 'r' }, 'dates')
  await index.completeness.isComplete()
  await countOpenUploads(redis)
  const journal = new AttemptJournal({ redis, store: {} as never })
  await journal.append({ owner: OWNER, submissionId: 'S-1' }, [], 1)
  await journal.moveToStore({ owner: OWNER, submissionId: 'S-1' }, 1)
  await journal.forgetWaiting({ owner: OWNER, submissionId: 'S-1' })
  await new StreamRestore(redis, 'token').portal(OWNER)
  await new FindIndex(redis).remove({ owner: OWNER, submissionId: 'S-1' })
  await putStanding(redis, { owner: OWNER, submissionId: 'S-1' }, null)
  await addToRollup(redis, 1, { some: 1 })
}

test('the keys of each command are of one group', async () => {
  const { redis, calls } = notingConnection()
  await callAll(redis)
  const apart = calls.filter(({ keys }) => new Set(keys.map(groupOf)).size > 1)
  expect(apart).toEqual([])
  const withSeveral = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.lua') && /^ {2}KEYS\[(?:2|1\] …)/m.test(readFileSync(`src/${file}`, 'utf8')))
    .map((file) => basename(file, '.lua'))
  // These are called with keys of BullMQ's; see below. Wrong credentials have a group of their own.
  const elsewhere = ['take-waiting-job', 'first-waiting-jobs', 'oldest-job', 'count-guess', 'count-open-uploads']
  const called = new Set(calls.map(({ name }) => name))
  expect(withSeveral.filter((name) => !called.has(name)).toSorted()).toEqual(elsewhere.toSorted())
})

test('an upload is in the group of its submission, a queue in one of its own', () => {
  const keys = redisKeysOf({ isCluster: true })
  const { id } = draftFor('S-1')
  const ofSubmission = [keys.head(OWNER, 'S-1'), keys.uploadsOf(OWNER, 'S-1'), keys.sequence(OWNER, 'S-1')]
  expect(new Set([keys.hot(id), keys.due(id), ...ofSubmission].map(groupOf)).size).toBe(1)
  expect(keys.everyDue('due')).toContain(keys.due(id))
  expect(new Set(['a', 'b'].map(keys.guesses).map(groupOf)).size).toBe(1)
  const prefixes = LANES.map((lane) => queuePrefix({ isCluster: true }, lane))
  expect(prefixes.map(groupOf)).toEqual(LANES)
})

test('on one server every key has the name of the first version', () => {
  const { id } = draftFor('S-1')
  expect(redisKeys.hot(id)).toBe(`sn:hot:${id}`)
  expect(redisKeys.published(redisKeys.record(id))).toBe(`sn:record:${id}`)
  expect(redisKeys.everyDue('due')).toEqual(['sn:due'])
  expect(redisKeys.dueOf('due-erasures', OWNER, 'S-1')).toBe('sn:due-erasures')
  expect(redisKeys.submissionEvents(OWNER, 'S-1')).toBe(`sn:events:${OWNER}/S-1`)
  expect(redisKeys.restoring('t', redisKeys.events(OWNER))).toBe(`sn:restoring:t:sn:events:${OWNER}`)
  expect(queuePrefix({ isCluster: false }, 'notify')).toBe('sn-queue')
})

test('no code but the table of keys names keys of one server', () => {
  const files = ['src', 'workers'].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' }).map((name) => `${top}/${name}`),
  )
  const naming = files.filter(
    (file) =>
      file.endsWith('.ts') && file !== 'src/records/keys.ts' && /\bredisKeys\b\./.test(readFileSync(file, 'utf8')),
  )
  expect(naming).toEqual([])
})
