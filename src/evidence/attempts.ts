// Records every attempt to create an upload, accepted or refused, with the reason: proof for people who could not upload
// in time. Recording never delays or fails the request.

import { type Clock, isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import type { RedisConnection } from '../core/redis.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { SubmissionHeads } from '../records/submission-heads.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { CreationAttempts } from '../submissions/creation.ts'
import { type Attempt, AttemptJournal, type Journal } from './attempt-journal.ts'
import { inOrder, positionOf } from './attempts-in-order.ts'
import type { KnownOutages } from './outages/known-outages.ts'
import { type NotedAttempt, Refusals } from './refusals.ts'

export type NewAttempt = Omit<Attempt, 'id' | 'at'> & {
  owner: string
  /** Null: outside of submissions, not recorded. */
  submissionId: string | null
  /** When the request arrived, if it was held before it was refused. */
  atMs?: number
}

const FLUSH_EVERY_MS = 60_000
/** Limit in memory while neither Redis nor the store is available. */
const MAX_HELD = 20_000
const PATIENCE_MS = 2000
/** Objects written at a time. */
const WRITERS = 16

/** Looked at for one page at most: where a filter fits little, pages are short. */
const MAX_LOOKED_AT = 5000

export type AttemptsPage = { items: Attempt[]; nextCursor: string | null }

export class Attempts implements CreationAttempts {
  readonly #journal: AttemptJournal
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #isDeleted: (journal: Journal) => Promise<boolean>
  readonly #knownOutages: Pick<KnownOutages, 'at'>
  /** Recorded, not in Redis yet. */
  #held: NotedAttempt[] = []
  readonly #refusals = new Refusals()
  #draining: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #dropped = 0

  constructor(deps: {
    redis: RedisConnection
    store: ObjectStore
    heads: Pick<SubmissionHeads, 'fromStore'>
    knownOutages: Pick<KnownOutages, 'at'>
    clock: Clock
    logger: Logger
  }) {
    this.#journal = new AttemptJournal(deps)
    // Asked of the store, since Redis may be what is away; in doubt an attempt is kept, and an erasure looks again.
    this.#isDeleted = ({ owner, submissionId }) =>
      deps.heads.fromStore(owner, submissionId).then(
        (head) => head?.state === 'deleted',
        () => false,
      )
    this.#knownOutages = deps.knownOutages
    this.#clock = deps.clock
    this.#logger = deps.logger
  }

  /** Records an attempt. Returns at once, never throws. */
  record({ owner, submissionId, atMs, ...told }: NewAttempt): void {
    if (submissionId === null) return
    if (this.#held.length >= MAX_HELD) {
      this.#dropped++
      return
    }
    const attempt = { id: newToken(), at: isoTime(atMs ?? this.#clock.now()), ...told }
    const noted = { journal: { owner, submissionId }, attempt }
    if (told.outcome === 'refused' && !this.#refusals.keeps(noted)) return
    this.#held.push(noted)
    void this.#drain()
  }

  /** Starts writing attempts to the store every minute. */
  start(): void {
    this.#timer ??= setInterval(() => {
      this.flush().catch((err: unknown) => {
        this.#logger.warn({ err }, 'attempts could not be written to the store; retrying in a minute')
      })
    }, FLUSH_EVERY_MS)
    this.#timer.unref()
  }

  /** Stops, and writes the attempts in memory to Redis, or to the store if Redis is not available. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#letGo(Number.POSITIVE_INFINITY)
  }

  /** Writes the attempts of all processes to the store. @returns how many */
  async flush(): Promise<number> {
    await this.#letGo(this.#clock.now())
    let written = 0
    for (;;) {
      const journals = await this.#journal.drain(this.#clock.now())
      if (journals.length === 0) return written
      const next = journals.values()
      const work = async () => {
        for (const journal of next) {
          const moved = await this.#moveOrForget(journal)
          written += moved
        }
      }
      await Promise.all(Array.from({ length: WRITERS }, work))
    }
  }

  /** Somebody whose page is still open goes on trying after the submission was deleted. */
  async #moveOrForget(journal: Journal): Promise<number> {
    if (!(await this.#isDeleted(journal))) return await this.#journal.moveToStore(journal, this.#clock.now())
    await this.#journal.forgetWaiting(journal)
    return 0
  }

  /** Removes all attempts of a deleted submission. Other processes may hold some for a minute, which they do not write. */
  async erase(owner: string, submissionId: string): Promise<void> {
    const journal = { owner, submissionId }
    this.#held = this.#held.filter(({ journal: its }) => !isSame(its, journal))
    this.#refusals.forget(journal)
    await this.#journal.forgetWaiting(journal)
    await this.#journal.forgetStored(journal)
  }

  /** Removes what an upload was called from the attempt that began it; the attempt stays. */
  async eraseUpload(owner: string, submissionId: string, uploadId: string): Promise<void> {
    await this.#drain()
    const journal = { owner, submissionId }
    await this.#moveOrForget(journal)
    await this.#journal.rewrite(journal, (attempt) =>
      // Each look at an erased upload comes here: what has no names any more is not written again.
      attempt.uploadId === uploadId && attempt.declared !== null ? { ...attempt, declared: null } : attempt,
    )
  }

  /** Keeps claimed attempts. Throws REDIS_UNAVAILABLE; RATE_LIMITED when a submission has too many in a minute. */
  async file(journal: Journal, claims: readonly Attempt[]): Promise<void> {
    if (claims.length === 0) return
    const left = await this.#journal.append(journal, claims, this.#clock.now())
    if (left > 0) throw new AppError('RATE_LIMITED', { retryAfterSeconds: 60 })
  }

  /** Whether there was an attempt in this slot before the deadline. */
  async attemptedBy(owner: string, submissionId: string, slot: string, deadlineMs: number): Promise<boolean> {
    const journal = { owner, submissionId }
    const isOne = async (some: readonly Attempt[]) => {
      const inTime = some.filter((attempt) => attempt.slot === slot && Date.parse(attempt.at) <= deadlineMs)
      if (inTime.some(({ outcome }) => outcome !== 'claimed')) return true
      for (const { at } of inTime) if ((await this.#knownOutages.at(Date.parse(at))) !== undefined) return true
      return false
    }
    // In the order in which attempts move, or one could be missed.
    if ((await isOne(this.#heldOf(journal))) || (await isOne(await this.#journal.waiting(journal)))) return true
    for await (const attempts of this.#journal.stored(journal, deadlineMs)) if (await isOne(attempts)) return true
    return false
  }

  /** All attempts of a submission, oldest first. */
  async list(owner: string, submissionId: string): Promise<Attempt[]> {
    const all: Attempt[] = []
    for await (const attempt of this.#inOrder({ owner, submissionId }, '')) all.push(attempt)
    return all
  }

  /**
   * A page of them, oldest first, after the position that an earlier page ended with. It may hold fewer than `limit`, or none,
   * and still have a `nextCursor`.
   *
   * @param options.after an attempt's position (see positionOf), or '' for the beginning
   */
  async page(
    owner: string,
    submissionId: string,
    options: { after: string; slot: string | undefined; limit: number },
  ): Promise<AttemptsPage> {
    const { after, slot, limit } = options
    const items: Attempt[] = []
    let at = after
    let looked = 0
    for await (const attempt of this.#inOrder({ owner, submissionId }, after)) {
      if (items.length === limit || looked === MAX_LOOKED_AT) return { items, nextCursor: at }
      looked++
      at = positionOf(attempt)
      if (slot === undefined || attempt.slot === slot) items.push(attempt)
    }
    return { items, nextCursor: null }
  }

  async *#inOrder(journal: Journal, after: string): AsyncGenerator<Attempt> {
    // In the order in which attempts move, or one could be missed.
    const held = this.#heldOf(journal)
    const waiting = await this.#journal.waiting(journal)
    const fromMs = after === '' ? 0 : Date.parse(after.slice(0, after.indexOf(' ')))
    yield* inOrder([...held, ...waiting], this.#journal.objects(journal, fromMs), after)
  }

  #heldOf({ owner, submissionId }: Journal): Attempt[] {
    return this.#held.flatMap((noted) => (isSame(noted.journal, { owner, submissionId }) ? [noted.attempt] : []))
  }

  /** Moves attempts from memory to Redis; on errors they stay in memory. Never rejects. */
  async #drain(): Promise<void> {
    this.#draining ??= this.#drainOnce().finally(() => {
      this.#draining = undefined
    })
    await this.#draining
  }

  async #drainOnce(): Promise<void> {
    // Batches the attempts of one event-loop turn.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#held.length > 0) {
      const taken = this.#held.slice()
      try {
        await Promise.all(byJournal(taken).map((group) => this.#append(group)))
      } catch (err) {
        this.#logger.warn({ err, attempts: this.#held.length }, 'attempts cannot be written to Redis; kept in memory')
        return
      }
      this.#forget(taken)
    }
  }

  async #append({ journal, attempts }: { journal: Journal; attempts: Attempt[] }): Promise<void> {
    const { submissionId } = journal
    const left = await this.#journal.append(journal, attempts, this.#clock.now())
    if (left > 0)
      this.#logger.warn(
        { submissionId, attempts: left },
        'too many attempts of one submission in a minute; some were dropped',
      )
  }

  #forget(noted: readonly NotedAttempt[]): void {
    const gone = new Set(noted)
    this.#held = this.#held.filter((one) => !gone.has(one))
  }

  /** @param nowMs refusals of minutes that are over by then go too, summed up */
  async #letGo(nowMs: number): Promise<void> {
    this.#held.push(...this.#refusals.take(nowMs))
    // An ending process cannot wait for a Redis outage. Recording an attempt twice does no harm.
    await withTimeout(this.#drain(), PATIENCE_MS, () => undefined)
    await this.#storeHeld()
    if (this.#dropped > 0) {
      this.#logger.error({ attempts: this.#dropped }, 'attempts were dropped: too many in memory')
      this.#dropped = 0
    }
  }

  /** Writes what is in memory to the store; what cannot be written stays, and keeps nothing else out. */
  async #storeHeld(): Promise<void> {
    const held = this.#held.slice()
    const written = new Set<Attempt>()
    const failures: unknown[] = []
    const next = byJournal(held).values()
    const work = async () => {
      for (const { journal, attempts } of next) {
        try {
          if (!(await this.#isDeleted(journal))) await this.#journal.write(journal, attempts)
          for (const attempt of attempts) written.add(attempt)
        } catch (error) {
          failures.push(error)
        }
      }
    }
    await Promise.all(Array.from({ length: WRITERS }, work))
    this.#forget(held.filter(({ attempt }) => written.has(attempt)))
    if (failures.length > 0) throw failures[0]
  }
}

function isSame(one: Journal, other: Journal): boolean {
  return one.owner === other.owner && one.submissionId === other.submissionId
}

function byJournal(noted: readonly NotedAttempt[]): { journal: Journal; attempts: Attempt[] }[] {
  const groups = new Map<string, { journal: Journal; attempts: Attempt[] }>()
  for (const { journal, attempt } of noted) {
    const key = `${journal.owner}/${journal.submissionId}`
    const group = groups.get(key) ?? { journal, attempts: [] }
    group.attempts.push(attempt)
    groups.set(key, group)
  }
  return [...groups.values()]
}
