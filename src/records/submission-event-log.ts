// Events of a submission without a version of an upload or head: it became complete or incomplete, a
// file was replaced. Each is committed as a record before it is published, so that after a loss of Redis no event is published
// twice with another id, and no sequence number is used twice.

import { type Clock, isoTime } from '../core/clock.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { EventEnvelope, SubmissionEventRecord } from './event-body.ts'
import { objectKeys } from './keys.ts'
import { isPublishedByAge, publishInOrder } from './publish-in-order.ts'
import type { RecordIndex } from './record-index.ts'
import { VersionLog } from './version-log.ts'

/** Makes the event for a sequence number. */
export type EventFactory = (sequence: number) => EventEnvelope

type NumberGiver = (owner: string, submissionId: string) => Promise<number>

export class SubmissionEventLog {
  readonly #index: RecordIndex
  readonly #clock: Clock
  readonly #nextSequence: NumberGiver
  readonly #log: VersionLog<SubmissionEventRecord>

  constructor(deps: { store: ObjectStore; index: RecordIndex; clock: Clock; nextSequence: NumberGiver }) {
    this.#index = deps.index
    this.#clock = deps.clock
    this.#nextSequence = deps.nextSequence
    this.#log = new VersionLog(deps.store)
  }

  /**
   * Publishes once that a submission became complete, or incomplete. A new incomplete submission is no change.
   *
   * @returns whether it was a change
   */
  async publishCompletenessChange(owner: string, id: string, complete: boolean, told: EventFactory): Promise<boolean> {
    if ((await this.#index.publishedNews(owner, id)).complete === complete) return false
    return await this.#tell(owner, id, told, (current) =>
      (current?.complete ?? false) === complete ? undefined : complete,
    )
  }

  /** Publishes an event with its own id, once, whoever else publishes it. */
  async publish(owner: string, id: string, eventId: string, told: EventFactory): Promise<boolean> {
    return await this.#tell(owner, id, told, async (current) => {
      const before = current === undefined ? [] : await this.history(owner, id, 0)
      return before.some(({ envelope }) => envelope.body.id === eventId) ? undefined : (current?.complete ?? false)
    })
  }

  async #tell(
    owner: string,
    id: string,
    told: EventFactory,
    completeAfter: (current: SubmissionEventRecord | undefined) => Promise<boolean | undefined> | boolean | undefined,
  ): Promise<boolean> {
    const latest = () => this.#log.latest(objectKeys.news(owner, id))
    const { record, committed } = await this.#log.commit(
      objectKeys.news(owner, id),
      () => isoTime(this.#clock.now()),
      await latest(),
      latest,
      async (current) => {
        const complete = await completeAfter(current)
        if (complete === undefined) return undefined
        const sequence = await this.#nextSequence(owner, id)
        return { schema: 1, sequence, complete, envelope: told(sequence) }
      },
    )
    // Also an event of a process that died before publishing it.
    if (record !== undefined) await this.#announce(owner, id, record)
    return committed
  }

  async #announce(owner: string, id: string, record: SubmissionEventRecord): Promise<void> {
    await publishInOrder(record, {
      publish: (version, earlierAnnounced) => this.#index.applyNews(owner, id, version, true, { earlierAnnounced }),
      show: (version) => this.#index.applyNews(owner, id, version, false),
      before: ({ version }) => this.#log.version(objectKeys.news(owner, id), version - 1),
      isComplete: () => this.#index.completeness.isComplete(),
      nowMs: this.#clock.now(),
    })
  }

  /** Restores the last one in Redis. @returns its sequence, 0 if there is none */
  async restore(owner: string, id: string): Promise<number> {
    const record = await this.#log.latest(objectKeys.news(owner, id))
    if (record === undefined) return 0
    const young = !isPublishedByAge(record, this.#clock.now())
    await this.#index.applyNews(owner, id, record, false, { young })
    return record.sequence
  }

  /** Marks the newest event and all before it as published: they were just restored. */
  async markAnnounced(owner: string, id: string): Promise<void> {
    const record = await this.#log.latest(objectKeys.news(owner, id))
    if (record !== undefined) await this.#index.applyNews(owner, id, record, false)
  }

  /** Events since a time, oldest first. */
  async history(owner: string, id: string, sinceMs: number): Promise<SubmissionEventRecord[]> {
    return await this.#log.history(objectKeys.news(owner, id), sinceMs)
  }
}
