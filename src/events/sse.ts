// One event stream for a page: missed events, then live events with progress in between.
// It subscribes before it reads the log, so that no event is lost between the two; repeated events are sent once.

import type { Logger } from '../core/logger.ts'
import type { EventEnvelope } from '../records/event-body.ts'
import type { LiveEvents, LiveSubscription } from './live.ts'
import type { EventLog } from './log.ts'
import type { ProgressTarget, ProgressWatch, UploadProgress } from './progress.ts'
import type { SseWriter } from './sse-writer.ts'

export type SessionDeps = {
  log: Pick<EventLog, 'history'>
  live: Pick<LiveEvents, 'listen'>
  progress: Pick<ProgressWatch, 'watch'>
  logger: Logger
}

export type SessionTarget = {
  owner: string
  /** null: an upload that belongs to no submission has progress, but no events. */
  submissionId: string | null
  /** Only this upload's events. */
  uploadId?: string
  /** The current document, for a page whose position in the log is unknown. */
  snapshot: () => Promise<unknown>
  /** The browser's Last-Event-ID. */
  lastEventId?: string
}

/** Ids of sent events, so that history and subscription send each event once. */
const REMEMBERED_IDS = 2048

export class EventSession {
  readonly #deps: SessionDeps
  readonly #target: SessionTarget
  readonly #writer: SseWriter
  readonly #told = new Set<string>()
  readonly #progress = new Map<string, UploadProgress>()
  #lastId: string | undefined
  #wake: () => void = () => undefined

  constructor(deps: SessionDeps, target: SessionTarget, writer: SseWriter) {
    this.#deps = deps
    this.#target = target
    this.#writer = writer
    this.#lastId = target.lastEventId
  }

  /** Runs until the stream ends; errors of Redis or the store end it, and the browser reconnects. */
  async run(): Promise<void> {
    const { live, progress, logger } = this.#deps
    const { owner, submissionId, uploadId } = this.#target
    const wake = () => this.#wake()
    this.#writer.onClose(wake)
    const subscription = submissionId === null ? undefined : live.listen(owner, submissionId, wake)
    const watch = progress.watch(progressTarget(this.#target), (changed) => {
      // Only the newest is kept: a slow reader misses steps, never the state.
      this.#progress.set(changed.uploadId, changed)
      wake()
    })
    try {
      await this.#catchUp()
      while (this.#writer.open) {
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        if (!(await this.#forward(subscription, () => watch.refresh()))) break
        await woken
      }
    } catch (err) {
      logger.warn({ err, submissionId, uploadId }, 'event stream ended')
    } finally {
      subscription?.close()
      watch.stop()
      this.#writer.end()
    }
  }

  /** Sends the events missed since the last id, or the whole document if they are unknown. */
  async #catchUp(): Promise<boolean> {
    const { owner, submissionId, snapshot } = this.#target
    // The position in the log is read before the document: the document includes all events up to it.
    const history =
      submissionId === null
        ? { known: false, events: [], newestId: undefined }
        : await this.#deps.log.history(owner, submissionId, this.#lastId)
    if (history.known) return await this.#tell(history.events)
    this.#lastId = history.newestId
    return await this.#writer.send({
      event: 'snapshot',
      data: await snapshot(),
      ...(history.newestId === undefined ? {} : { id: history.newestId }),
    })
  }

  /** False: the reader is gone. */
  async #forward(subscription: LiveSubscription | undefined, refresh: () => void): Promise<boolean> {
    const { events, gap } = subscription?.take() ?? { events: [], gap: false }
    if (gap && !(await this.#catchUp())) return false
    if (events.length > 0) refresh()
    if (!(await this.#tell(events))) return false
    const changes = [...this.#progress.values()]
    this.#progress.clear()
    for (const data of changes) if (!(await this.#writer.send({ event: 'progress', data }))) return false
    return true
  }

  async #tell(events: EventEnvelope[]): Promise<boolean> {
    for (const { uploadId, body } of events) {
      if (this.#told.has(body.id)) continue
      this.#remember(body.id)
      if (this.#target.uploadId !== undefined && uploadId !== this.#target.uploadId) continue
      if (!(await this.#writer.send({ event: body.type, data: body, id: body.id }))) return false
    }
    return true
  }

  // Events of other uploads are not sent, but move the position in the log.
  #remember(id: string): void {
    this.#lastId = id
    this.#told.add(id)
    if (this.#told.size <= REMEMBERED_IDS) return
    const [oldest] = this.#told
    if (oldest !== undefined) this.#told.delete(oldest)
  }
}

function progressTarget({ owner, submissionId, uploadId }: SessionTarget): ProgressTarget {
  if (uploadId !== undefined) return { uploadId }
  if (submissionId === null) throw new Error('an event stream needs a submission or an upload')
  return { owner, submissionId }
}
