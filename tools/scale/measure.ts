// What an operator waits for with so many finished uploads on record: times in milliseconds, sizes in bytes.

import { isCluster } from '../../src/core/redis.ts'
import { uploadJobId } from '../../src/jobs/contract.ts'
import { receivingRecord } from '../../src/lifecycle/transitions.ts'
import { Controls } from '../../src/ops/controls.ts'
import { readDashboard } from '../../src/ops/dashboard.ts'
import { FindIndex } from '../../src/ops/find/find-index.ts'
import { objectKeys, redisKeys } from '../../src/records/keys.ts'
import { unloadQuiet } from '../../src/records/quiet-submissions.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import { draftFor, OWNER } from '../../test/support/drafts.ts'
import type { Environment } from '../../test/support/environment.ts'
import { waitFor } from '../../test/support/http.ts'
import { reached } from '../../test/support/records.ts'
import type { AnsweringStore } from './answering-store.ts'
import type { Seeded } from './seed.ts'

const SAMPLES = 40
const WAITING = 8000
const DAY_MS = 86_400_000

export type Figures = Record<string, string>

const ms = (value: number) => (value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en'))

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function median(work: (n: number) => Promise<unknown>): Promise<string> {
  const times: number[] = []
  for (let n = 0; n < SAMPLES; n++) times.push(await timed(() => work(n)))
  return ms(times.sort((a, b) => a - b)[SAMPLES / 2] ?? 0)
}

export async function requests(stack: Environment, seeded: Seeded): Promise<Figures> {
  const { deps } = stack
  const some = <T>(all: readonly T[], n: number): T => all[Math.floor(((n + 0.5) / SAMPLES) * all.length)] as T
  const ok = async (path: string) => {
    const { status, text } = await stack.call('GET', path)
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${text.slice(0, 200)}`)
  }
  const users = await Promise.all(Array.from({ length: SAMPLES }, () => stack.user('extras')))
  const controls = new Controls({ ...deps, redis: deps.redis.producer })
  const find = new FindIndex(deps.redis.producer)
  return {
    'POST, ms': await median((n) => users[n]?.create({ length: 5000, name: 'a.pdf' }) ?? Promise.resolve()),
    'HEAD of a finished upload, ms': await median((n) => deps.locks.getStatus(some(seeded.uploads, n))),
    'GET of a submission, ms': await median((n) => ok(`/v1/submissions/${some(seeded.submissions, n)}`)),
    'list of 200, ms': ms(await timed(() => ok('/v1/submissions?limit=200'))),
    'the same again, ms': ms(await timed(() => ok('/v1/submissions?limit=200'))),
    'list of 200 with complete=true, ms': ms(await timed(() => ok('/v1/submissions?limit=200&complete=true'))),
    'search, ms': await median((n) => find.search(`สมชาย ${n}`, 30)),
    "console's day, ms": await median(() => readDashboard({ ...deps, redis: deps.redis.producer, controls }, 3600)),
  }
}

/** What has left Redis is read through from the store. */
export async function afterwards(stack: Environment, seeded: Seeded): Promise<Figures> {
  const ids = seeded.submissions.slice(-SAMPLES)
  return {
    'GET of a submission after these days, ms': await median((n) => stack.call('GET', `/v1/submissions/${ids[n]}`)),
  }
}

/** Bytes of Redis for each upload: now, and after some days, when what has a time limit is gone and what is quiet has left. */
export async function memory(stack: Environment, uploads: number, emptyBytes: number): Promise<Figures> {
  const used = async () => ms(((await usedBytes(stack)) - emptyBytes) / uploads)
  const figures: Figures = { 'Redis bytes an upload': await used() }
  for (const days of [3, 10]) {
    await dropAfter(stack, days * DAY_MS)
    const clock = { now: () => Date.now() + days * DAY_MS }
    while ((await unloadQuiet({ ...stack.deps, clock })) > 0);
    figures[`the same ${days} days later`] = await used()
  }
  return figures
}

export async function usedBytes(stack: Environment): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await stack.deps.redis.hot.info('memory'))?.[1])
}

async function dropAfter({ deps: { redis } }: Environment, afterMs: number): Promise<void> {
  if (isCluster(redis.hot)) throw new Error('measured on one server')
  for await (const keys of redis.hot.scanStream({ match: 'sn:*', count: 1000 })) {
    const names = keys as string[]
    const left = await Promise.all(names.map((key) => redis.hot.pttl(key)))
    const gone = names.filter((_, i) => (left[i] ?? -1) >= 0 && (left[i] ?? 0) <= afterMs)
    if (gone.length > 0) await redis.hot.unlink(...gone)
  }
}

/** 8,000 uploads wait for their verdicts and are due for a look; of one more the job was lost. */
export async function reconciling(stack: Environment): Promise<Figures> {
  const { deps } = stack
  await stack.commitHead('waiting')
  const records = Array.from({ length: WAITING }, (_, n): UploadRecord => {
    const draft = draftFor('waiting')
    const stored = reached(receivingRecord(draft, { key: objectKeys.data(draft.id) }, n), 'stored', { sequence: n })
    return { ...stored, version: 1, nonce: 'n', committedAt: draft.createdAt }
  })
  await deps.queues.byLane.validate.addBulk(
    records.map(({ id }, n) => ({
      name: 'validate',
      data: { uploadId: id, generation: 1 },
      opts: { jobId: uploadJobId('validate', id, 1), priority: 1000 + n },
    })),
  )
  for (const record of records) {
    await deps.store.createIfAbsent(
      `${objectKeys.uploadRecord(record.id)}000001.json`,
      Buffer.from(JSON.stringify(record)),
    )
    await deps.index.apply({
      cacheKey: redisKeys.record(record.id),
      version: 1,
      json: JSON.stringify(record),
      owner: record.owner,
      submissionId: record.submissionId,
      upload: { id: record.id, createdAtMs: Date.now(), dueAtMs: 0 },
      event: null,
      announce: false,
      announcedBefore: true,
    })
  }
  const controls = new Controls({ ...deps, redis: deps.redis.producer })
  const day = await median(() => readDashboard({ ...deps, redis: deps.redis.producer, controls }, 3600))
  const lost = draftFor('waiting')
  await deps.uploads.commit(lost.id, () => receivingRecord(lost, { key: objectKeys.data(lost.id) }, 1))
  await stack.reach(lost.id, 'stored')
  await deps.redis.hot.zadd(redisKeys.due(lost.id), 1, lost.id)
  let runs = 0
  const took = await timed(async () => {
    do {
      await deps.reconciler.tick()
      runs++
    } while ((await deps.queues.stateOf('validate', lost.id, 1)) === 'unknown' && runs < 100)
  })
  await deps.queues.byLane.validate.obliterate({ force: true })
  const ids = [...records.map(({ id }) => id), lost.id]
  await deps.redis.hot.del(redisKeys.due(lost.id), redisKeys.uploadsOf(OWNER, 'waiting'), ...ids.map(redisKeys.record))
  await deps.store.removeAll(objectKeys.submission(OWNER, 'waiting'))
  await deps.store.removeAll(objectKeys.submissionUploads(OWNER, 'waiting'))
  return {
    "console's day beside 8,000 waiting jobs, ms": day,
    'runs until a lost job is found beside 8,000 due ones': String(runs),
    'time of these runs, ms': ms(took),
  }
}

function calls({ calls: { list, read, write } }: AnsweringStore): string {
  return `${list.toLocaleString('en')} LIST, ${read.toLocaleString('en')} GET, ${write.toLocaleString('en')} PUT`
}

function countAnew(store: AnsweringStore): void {
  Object.assign(store.calls, { list: 0, read: 0, write: 0 })
}

/** What is done each night. */
export async function checkpointing({ deps }: Environment, store: AnsweringStore): Promise<Figures> {
  countAnew(store)
  const first = ms(await timed(() => deps.rebuilder.writeCheckpoint()))
  const made = calls(store)
  countAnew(store)
  const again = ms(await timed(() => deps.rebuilder.writeCheckpoint()))
  return {
    'first checkpoint, ms': first,
    'its calls': made,
    'the checkpoint of a night without changes, ms': again,
    'calls of that': calls(store),
  }
}

/** Redis loses all, or restarts with all its data, and is rebuilt. */
export async function rebuilding(
  stack: Environment,
  store: AnsweringStore,
  how: 'Redis back with its data' | 'Redis empty' | 'Redis empty, no checkpoint',
): Promise<Figures> {
  const { deps } = stack
  const before = deps.runId.current
  if (how === 'Redis empty, no checkpoint') await deps.store.removeAll('checkpoint/')
  if (how !== 'Redis back with its data') await deps.redis.hot.flushall()
  else {
    await stack.redis.restart()
    await waitFor(
      () =>
        deps.runId.current !== before && deps.redis.hot.status === 'ready' && deps.redis.producer.status === 'ready',
    )
  }
  countAnew(store)
  let listsMs = 0
  let made = ''
  const { completeness } = deps.index
  const { mark } = completeness
  const started = performance.now()
  completeness.mark = async (mine, part) => {
    const marked = await mark.call(completeness, mine, part)
    if (part === 'lists') {
      listsMs = performance.now() - started
      made = calls(store)
    }
    return marked
  }
  const took = await timed(() => deps.rebuilder.run())
  completeness.mark = mark
  return {
    [`${how}: lists again after, ms`]: ms(listsMs),
    [`${how}: calls for that`]: made,
    [`${how}: all after, ms`]: ms(took),
  }
}
