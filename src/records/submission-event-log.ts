// Events of a submission that no version of an upload or of its head stands for: it became complete or no longer is, a
// file was replaced. Each is a record of its own before anybody is told, so that after a loss of Redis nothing is told
// twice under another name, and no number is given twice.

import { type Clock, isoTime } from '../core/clock.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { EventEnvelope, SubmissionEventRecord } from './event-body.ts'
import { objectKeys } from './keys.ts'
import type { RecordIndex } from './record-index.ts'
import { VersionLog } from './version-log.ts'

/** The event, once its number is known. */
export type EventFactory = (sequence: number) => EventEnvelope

type NumberGiver = (owner: string, submissionId: string) => Promise<number>

const ANNOUNCE_GRACE_MS = 120_000

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
   * Tells once that a submission became complete, or no longer is. A new one that is not complete is no news.
   *
   * @returns whether this was news
   */
  async publishCompletenessChange(owner: string, id: string, complete: boolean, told: EventFactory): Promise<boolean> {
    if ((await this.#index.toldComplete(owner, id)) === complete) return false
    return await this.#tell(owner, id, told, (current) =>
      (current?.complete ?? false) === complete ? undefined : complete,
    )
  }

  /** Tells an event that has an id of its own, once. */
  async publish(owner: string, id: string, eventId: string, told: EventFactory): Promise<boolean> {
    const before = await this.history(owner, id, 0)
    if (before.some(({ envelope }) => envelope.body.id === eventId)) return false
    return await this.#tell(owner, id, told, (current) =>
      current?.envelope.body.id === eventId ? undefined : (current?.complete ?? false),
    )
  }

  async #tell(
    owner: string,
    id: string,
    told: EventFactory,
    completeAfter: (current: SubmissionEventRecord | undefined) => boolean | undefined,
  ): Promise<boolean> {
    const latest = () => this.#log.latest(objectKeys.news(owner, id))
    const { record, committed } = await this.#log.commit(
      objectKeys.news(owner, id),
      () => isoTime(this.#clock.now()),
      await latest(),
      latest,
      async (current) => {
        const complete = completeAfter(current)
        if (complete === undefined) return undefined
        const sequence = await this.#nextSequence(owner, id)
        return { schema: 1, sequence, complete, envelope: told(sequence) }
      },
    )
    // Also what somebody else has committed and died before telling.
    if (record !== undefined) await this.#announce(owner, id, record)
    return committed
  }

  async #announce(owner: string, id: string, record: SubmissionEventRecord): Promise<void> {
    if ((await this.#index.applyNews(owner, id, record, true)) !== 'gap') return
    const earlier = await this.#log.version(objectKeys.news(owner, id), record.version - 1)
    if (earlier !== undefined) await this.#announce(owner, id, earlier)
    await this.#index.applyNews(owner, id, record, true)
  }

  /** Makes Redis know the last one again. @returns its number, 0 where there is none */
  async restore(owner: string, id: string): Promise<number> {
    const record = await this.#log.latest(objectKeys.news(owner, id))
    if (record === undefined) return 0
    const young = Date.parse(record.committedAt) > this.#clock.now() - ANNOUNCE_GRACE_MS
    await this.#index.applyNews(owner, id, record, false, young)
    return record.sequence
  }

  /** Those since a moment, oldest first. */
  async history(owner: string, id: string, sinceMs: number): Promise<SubmissionEventRecord[]> {
    return await this.#log.history(objectKeys.news(owner, id), sinceMs)
  }
}
