// The search index: one entry per submission in Redis, with its searchable texts. A search scans
// the entries in short steps inside Redis: 100,000 submissions take a fraction of a second, the store
// is not read, and Redis is not blocked.

import { commandLoader, run } from '../../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../../core/redis.ts'
import { redisKeysOf } from '../../records/keys.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import { putStanding } from './standings.ts'
import { type Said, withLines, wordsOf, wordsOfHead, wordsOfUpload } from './words.ts'

export type Found = { owner: string; submissionId: string }

/** Entries per step: a few milliseconds of Redis time. */
const STEP = 2000
/** Maximum number of results. */
const MAX_FOUND = 500

const command = commandLoader(new URL('./commands/', import.meta.url))
const putSearchEntry = command('put-search-entry')
const searchEntries = command('search-entries')

export class FindIndex {
  readonly #redis: RedisConnection

  constructor(redis: RedisConnection) {
    this.#redis = redis
  }

  /** Adds texts to a submission's entry; the first text of the first call is its id. */
  async add(
    { owner, submissionId }: Found,
    words: readonly (string | null | undefined)[],
    deadlineMs: number | null,
  ): Promise<void> {
    const member = `${owner}/${submissionId}`
    const before = (await viaRedis(this.#redis.hget(redisKeysOf(this.#redis).find, member))) ?? ''
    const text = withLines(before, [submissionId, ...words])
    await this.#put(member, text, deadlineMs === null ? '' : String(deadlineMs))
  }

  /** Replaces a submission's entry by what its head and its uploads and attempts say now. */
  async replace(head: SubmissionHead, said: readonly Said[]): Promise<void> {
    const { owner, id, deadline } = head
    const words = [id, ...wordsOfHead(head), ...said.flatMap(wordsOfUpload)]
    await this.#put(`${owner}/${id}`, withLines('', words), deadline === null ? '' : String(Date.parse(deadline)))
  }

  /** Removes the submission from the search and from the standings. */
  async remove(found: Found): Promise<void> {
    await this.#put(`${found.owner}/${found.submissionId}`, '', '')
    await putStanding(this.#redis, found, null)
  }

  /** Resets the follower, so that every submission is indexed again. */
  async forgetMarks(): Promise<void> {
    await viaRedis(this.#redis.del(redisKeysOf(this.#redis).findMarks))
  }

  /**
   * Submissions whose texts contain all words of the question, last changed first.
   *
   * @returns `more`: there are further matches
   */
  async search(question: string, limit: number): Promise<{ found: Found[]; more: boolean }> {
    const words = wordsOf(question)
    if (words.length === 0) return { found: [], more: false }
    const members = new Set<string>()
    let cursor = '0'
    do {
      const answer = await run(this.#redis, searchEntries, [redisKeysOf(this.#redis).find], [cursor, STEP, ...words])
      const [next = '0', ...some] = answer as string[]
      for (const member of some) members.add(member)
      cursor = next
    } while (cursor !== '0' && members.size < MAX_FOUND)
    const found = [...members].map(foundOf)
    const scores = await this.#lastChanges(found)
    const sorted = found
      .map((one, i) => ({ one, score: scores[i] ?? 0 }))
      .toSorted((a, b) => b.score - a.score)
      .map(({ one }) => one)
    return { found: sorted.slice(0, limit), more: sorted.length > limit || cursor !== '0' }
  }

  async #lastChanges(found: readonly Found[]): Promise<number[]> {
    if (found.length === 0) return []
    const ask = this.#redis.pipeline()
    for (const { owner, submissionId } of found) ask.zscore(redisKeysOf(this.#redis).submissionsOf(owner), submissionId)
    return ((await viaRedis(ask.exec())) ?? []).map(([error, score]) => {
      if (error) throw error
      return Number(score ?? 0)
    })
  }

  async #put(member: string, text: string, deadline: string): Promise<void> {
    const keys = [
      redisKeysOf(this.#redis).find,
      redisKeysOf(this.#redis).findDeadlines,
      redisKeysOf(this.#redis).deadlines,
    ]
    await run(this.#redis, putSearchEntry, keys, [member, text, deadline])
  }
}

export function foundOf(member: string): Found {
  const slash = member.indexOf('/')
  return { owner: member.slice(0, slash), submissionId: member.slice(slash + 1) }
}
