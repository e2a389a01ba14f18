// Keeps the search index and the standings up to date, independent of requests: every few seconds one process follows
// the list of last changes and the attempts that are not yet written to the store.

import { setTimeout } from 'node:timers/promises'
import { inParallel } from '../../core/in-parallel.ts'
import type { Logger } from '../../core/logger.ts'
import { askAll, commandLoader, run } from '../../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../../core/redis.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import { redisKeysOf } from '../../records/keys.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import type { SubmissionHeads } from '../../records/submission-heads.ts'
import type { UploadView } from '../../records/upload-views.ts'
import { type FindIndex, type Found, foundOf } from './find-index.ts'
import { type Group, putStanding, type Standing } from './standings.ts'
import { type Said, wordsOfHead, wordsOfUpload } from './words.ts'

const LOOK_MS = 3000
const LEASE_MS = 15_000
const STOP_MS = 500
/** Overlap of two runs: clocks differ, and a commit is listed a moment after it was made. */
const OVERLAP_MS = 30_000
const BATCH = 500
const MAX_ATTEMPTS_LISTS = 2000
/** Submissions that are read at the same time. */
const PARALLEL = 8

const leaseSearchIndex = commandLoader(new URL('./commands/', import.meta.url))('lease-search-index')

/** `standing` is null where the submission is in no group. */
export type ReadForSearch = {
  head: SubmissionHead
  uploads: readonly UploadView[]
  standing: (Group & { standing: Standing }) | null
}

export type FollowerDeps = {
  redis: RedisConnection
  heads: SubmissionHeads
  find: FindIndex
  /** A submission as it is now; undefined: there is none, or it was deleted. */
  read: (found: Found) => Promise<ReadForSearch | undefined>
  logger: Logger
  /** Unique name of this process. */
  name: string
}

export class FindFollower {
  readonly #deps: FollowerDeps
  /** Member → last indexed change, to skip repeats in the overlap. */
  #seen = new Map<string, number>()
  /** Member → number of attempts that were indexed. */
  #attempts = new Map<string, number>()
  #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(deps: FollowerDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    // Not waiting for a hanging Redis: the next follower continues.
    await withTimeout(this.#running, STOP_MS, () => undefined)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    let failing = false
    while (!signal.aborted) {
      await this.follow().then(
        () => {
          failing = false
        },
        (err: unknown) => {
          // One line for a row of failures: it tries again every few seconds.
          this.#deps.logger[failing ? 'debug' : 'warn']({ err }, 'search index update failed; retrying')
          failing = true
        },
      )
      // Rejects only when stop() wakes it; the loop ends then.
      await setTimeout(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  /** One run, if no other process is following. @returns the number of indexed submissions */
  async follow(): Promise<number> {
    const { redis, name } = this.#deps
    if ((await run(redis, leaseSearchIndex, [redisKeysOf(redis).findLock], [name, LEASE_MS])) !== 1) return 0
    let looked = 0
    for (const owner of await viaRedis(redis.smembers(redisKeysOf(redis).owners))) looked += await this.#changes(owner)
    return looked + (await this.#waitingAttempts())
  }

  async #changes(owner: string): Promise<number> {
    const { redis } = this.#deps
    const mark = Number((await viaRedis(redis.hget(redisKeysOf(redis).findMarks, owner))) ?? 0)
    if (mark === 0) this.#seen.clear()
    const key = redisKeysOf(redis).submissionsOf(owner)
    let looked = 0
    let reached = mark
    for (let offset = 0; !this.#stop.signal.aborted; offset += BATCH) {
      const from = Math.max(0, mark - OVERLAP_MS)
      const flat = await viaRedis(redis.zrangebyscore(key, from, '+inf', 'WITHSCORES', 'LIMIT', offset, BATCH))
      const changed: { found: Found; changedMs: number }[] = []
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const found = { owner, submissionId: flat[i] ?? '' }
        const changedMs = Number(flat[i + 1])
        reached = Math.max(reached, changedMs)
        if (!this.#isSeen(found, changedMs)) changed.push({ found, changedMs })
      }
      // After a loss of Redis each is read from the store.
      await inParallel(PARALLEL, changed, async ({ found, changedMs }) => {
        await this.#look(found)
        this.#seen.set(`${owner}/${found.submissionId}`, changedMs)
        looked++
      })
      if (flat.length < 2 * BATCH) break
    }
    this.#forgetSeen(owner, reached - OVERLAP_MS)
    if (reached > mark) await viaRedis(redis.hset(redisKeysOf(redis).findMarks, owner, reached))
    return looked
  }

  #isSeen({ owner, submissionId }: Found, changedMs: number): boolean {
    return this.#seen.get(`${owner}/${submissionId}`) === changedMs
  }

  /** What the next run does not meet again. */
  #forgetSeen(owner: string, beforeMs: number): void {
    for (const [member, changedMs] of this.#seen)
      if (changedMs < beforeMs && foundOf(member).owner === owner) this.#seen.delete(member)
  }

  /** A person whose attempts were all refused has no upload: only the attempts have the name. */
  async #waitingAttempts(): Promise<number> {
    const { redis, find, heads } = this.#deps
    const waiting = redisKeysOf(redis).everyDue('due-attempts')
    const last = Math.ceil(MAX_ATTEMPTS_LISTS / waiting.length) - 1
    const answers = await askAll(
      redis,
      waiting.map((list) => (to) => to.zrange(list, 0, last)),
    )
    const members = (answers as string[][]).flat()
    const lists = members.map((member) => {
      const { owner, submissionId } = foundOf(member)
      return redisKeysOf(redis).attempts(owner, submissionId)
    })
    const lengths = await this.#lengths(lists)
    // What is no longer waiting is forgotten; what was not read to its end is read again.
    this.#attempts = new Map(members.map((member) => [member, this.#attempts.get(member) ?? 0]))
    let looked = 0
    for (const [i, member] of members.entries()) {
      const known = this.#attempts.get(member) ?? 0
      const length = lengths[i] ?? 0
      if (length === known) continue
      // A shorter list was written to the store and started again.
      const lines = await viaRedis(redis.lrange(lists[i] ?? '', length < known ? 0 : known, -1))
      const found = foundOf(member)
      const head = await heads.latest(found.owner, found.submissionId)
      if (head !== undefined && head.state !== 'deleted') {
        await find.add(found, lines.flatMap(wordsIn), deadlineOf(head.deadline))
        looked++
      }
      this.#attempts.set(member, length)
    }
    return looked
  }

  async #lengths(lists: readonly string[]): Promise<number[]> {
    const lengths = await askAll(
      this.#deps.redis,
      lists.map((list) => (to) => to.llen(list)),
    )
    return lengths.map(Number)
  }

  async #look(found: Found): Promise<void> {
    const { redis, find, read } = this.#deps
    const now = await read(found)
    if (now === undefined) return await find.remove(found)
    const { head, uploads, standing } = now
    const words = uploads.flatMap(({ record, hot }) => {
      const said = record ?? hot?.draft
      return said === undefined ? [] : wordsOfUpload(said)
    })
    await find.add(found, [...wordsOfHead(head), ...words], deadlineOf(head.deadline))
    await putStanding(redis, found, standing)
  }
}

function deadlineOf(deadline: string | null): number | null {
  return deadline === null ? null : Date.parse(deadline)
}

/** The searchable texts of a record, a draft or an attempt. */
function wordsIn(json: string): (string | null)[] {
  return wordsOfUpload(JSON.parse(json) as Said)
}
