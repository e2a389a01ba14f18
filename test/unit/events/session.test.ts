import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { createLogger } from '../../../src/core/logger.ts'
import { LiveEvents } from '../../../src/events/live.ts'
import type { History } from '../../../src/events/log.ts'
import { EventSession } from '../../../src/events/sse.ts'
import { SseWriter } from '../../../src/events/sse-writer.ts'
import type { EventEnvelope } from '../../../src/records/event-body.ts'

const logger = createLogger({ name: 'test', level: 'silent' })

function event(sequence: number): EventEnvelope {
  const data = { sequence, submissionId: 'S', revision: 1, state: 'open' }
  const body = {
    id: `e${sequence}`,
    type: 'submission.complete',
    timestamp: '2026-11-21T00:00:00.000Z',
    data,
  }
  return { owner: 'portal', submissionId: 'S', body }
}

/** A log and its publication that the test moves by hand. */
class World {
  readonly log: EventEnvelope[] = []
  readonly asked: (string | undefined)[] = []
  readonly #listeners = new Set<{ events: EventEnvelope[]; gap: boolean; wake: () => void }>()
  /** Runs while the log is being read: before it is looked at, and after. */
  during: { before?: () => void; after?: () => void } = {}

  publish(envelope: EventEnvelope, heard = true): void {
    this.log.push(envelope)
    for (const listener of this.#listeners) {
      if (heard) listener.events.push(envelope)
      else listener.gap = true
      listener.wake()
    }
  }

  async run(lastEventId: string | undefined, act: (writer: SseWriter) => Promise<void>): Promise<string[]> {
    const writer = new SseWriter({ retryMs: 1000 })
    const wire = text(writer.body)
    const session = new EventSession(
      {
        log: { history: (_owner, _id, last) => this.#history(last) },
        live: {
          listen: (_owner, _id, wake) => {
            const listener = { events: [] as EventEnvelope[], gap: false, wake }
            this.#listeners.add(listener)
            return {
              take: () => {
                const taken = { events: listener.events, gap: listener.gap }
                Object.assign(listener, { events: [], gap: false })
                return taken
              },
              close: () => void this.#listeners.delete(listener),
            }
          },
        },
        progress: { watch: () => ({ refresh: () => undefined, stop: () => undefined }) },
        logger,
      },
      {
        owner: 'portal',
        submissionId: 'S',
        snapshot: () => Promise.resolve({ document: this.log.length }),
        ...(lastEventId === undefined ? {} : { lastEventId }),
      },
      writer,
    )
    const running = session.run()
    await act(writer)
    writer.end()
    await running
    expect(this.#listeners.size).toBe(0)
    return [...(await wire).matchAll(/^(?:id: (.*)\n)?event: (.*)$/gm)].map(([, id, name]) => `${name} ${id}`)
  }

  async #history(lastEventId: string | undefined): Promise<History> {
    this.asked.push(lastEventId)
    this.during.before?.()
    const at = this.log.findIndex(({ body }) => body.id === lastEventId)
    const history = {
      known: at >= 0,
      events: at < 0 ? [] : this.log.slice(at + 1),
      newestId: this.log.at(-1)?.body.id,
    }
    this.during.after?.()
    this.during = {}
    return await Promise.resolve(history)
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('a session', () => {
  it('misses no event during the read of the log, and sends none twice', async () => {
    const world = new World()
    world.log.push(event(1))
    world.during = { before: () => world.publish(event(2)), after: () => world.publish(event(3)) }
    const told = await world.run('e1', async () => {
      await settle()
      world.publish(event(4))
      await settle()
    })
    expect(told).toEqual(['submission.complete e2', 'submission.complete e3', 'submission.complete e4'])
  })

  it('subscribes before the document is computed', async () => {
    const world = new World()
    world.log.push(event(1))
    world.during = { after: () => world.publish(event(2)) }
    const told = await world.run(undefined, settle)
    expect(told).toEqual(['snapshot e1', 'submission.complete e2'])
  })

  it('reads missed events from the log, after the last sent event', async () => {
    const world = new World()
    world.log.push(event(1))
    const told = await world.run('e1', async () => {
      await settle()
      world.publish(event(2))
      await settle()
      world.publish(event(3), false)
      world.publish(event(4))
      await settle()
    })
    expect(told).toEqual(['submission.complete e2', 'submission.complete e3', 'submission.complete e4'])
    expect(world.asked).toEqual(['e1', 'e2'])
  })

  it('sends the document again if the last sent event is no longer in the log', async () => {
    const world = new World()
    world.log.push(event(1))
    const told = await world.run('e1', async () => {
      await settle()
      world.log.length = 0
      world.publish(event(7), false)
      await settle()
    })
    expect(told).toEqual(['snapshot e7'])
  })
})

describe('a client that does not read', () => {
  it('uses at most its buffer, and learns that it missed events', () => {
    const handlers = new Map<string, (...args: string[]) => void>()
    const redis = {
      status: 'wait',
      on: (name: string, handler: (...args: string[]) => void) => handlers.set(name, handler),
    }
    const live = new LiveEvents(redis as never, logger)
    const subscription = live.listen('portal', 'S', () => undefined)
    for (let i = 0; i < 1000; i++) handlers.get('message')?.('sn:live', JSON.stringify(event(i)))
    const { events, gap } = subscription.take()
    expect(events).toHaveLength(256)
    expect(gap).toBe(true)
    expect(subscription.take()).toEqual({ events: [], gap: false })
  })
})
