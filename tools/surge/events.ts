// Reads the portal's event log during the surge: verdicts, each exactly once, and `ready` events.

import type { EventBody } from '../../src/records/event-body.ts'
import type { Portal } from '../lib/portal.ts'

export type UploadEvents = {
  storedMs: number | undefined
  /** Times of `accepted` and `rejected`, each event once; more than one is an error. */
  verdictsMs: number[]
  readyMs: number | undefined
}

const POLL_MS = 1000

export class EventReader {
  readonly #portal: Portal
  readonly #uploads = new Map<string, UploadEvents>()
  readonly #seen = new Set<string>()
  #cursor: string | undefined
  #stopped = false
  #running: Promise<void> = Promise.resolve()
  ready = 0
  verdicts = 0
  /** Number of failed reads; the next poll continues from the same cursor. */
  failures = 0

  constructor(portal: Portal) {
    this.#portal = portal
  }

  /** Skips events from before the run. */
  async start(): Promise<void> {
    while ((await this.#page()).length > 0);
    this.#uploads.clear()
    this.ready = 0
    this.verdicts = 0
    this.#running = this.#run()
  }

  of(uploadId: string): UploadEvents {
    return this.#uploads.get(uploadId) ?? { storedMs: undefined, verdictsMs: [], readyMs: undefined }
  }

  /** Reads the remaining events and ends. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      const last = this.#stopped
      try {
        while ((await this.#page()).length > 0);
      } catch {
        this.failures += 1 // a service under load may be slow to answer; the cursor has not moved
      }
      if (last) return
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }

  async #page(): Promise<EventBody[]> {
    const { items, nextCursor } = await this.#portal.events(this.#cursor)
    this.#cursor = nextCursor
    for (const event of items) this.#note(event)
    return items
  }

  #note({ id, type, timestamp, data: { uploadId } }: EventBody): void {
    // Events are delivered at least once: a repeated event is no second verdict.
    if (uploadId === undefined || this.#seen.has(id)) return
    this.#seen.add(id)
    const atMs = Date.parse(timestamp)
    const known = this.of(uploadId)
    this.#uploads.set(uploadId, known)
    if (type === 'upload.stored') known.storedMs = atMs
    if (type === 'upload.ready') {
      known.readyMs = atMs
      this.ready += 1
    }
    if (type === 'upload.accepted' || type === 'upload.rejected') {
      known.verdictsMs.push(atMs)
      this.verdicts += 1
    }
  }
}
