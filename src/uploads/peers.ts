// How processes speak about a running upload: one channel per process. A request that wants an upload asks its holder
// to store what it has (`flush`, for HEAD) or to let go (`yield`, for PATCH and DELETE). A holder that says nothing
// for 100 ms is not waited for.

import { newToken } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { isProcessAlive } from '../core/process-alive.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'

export type YieldReason = 'taken-over' | 'ended' | 'draining'

/** The request that is receiving an upload in this process. */
export interface Holder {
  readonly id: string
  readonly fence: string
  /** Makes durable what has been received; resolves with the durable offset. The request goes on. */
  flush(): Promise<number>
  /**
   * Stops receiving at once and lets go of the lock. Resolves when that is done. What is not stored is dropped, since
   * a newer request sends it again; where only this process ends (`draining`), it is stored.
   */
  yield(reason: YieldReason): Promise<void>
}

type Question = {
  ask: 'flush' | 'yield'
  id: string
  fence: string
  reason?: YieldReason
  reply: string
  nonce: string
}
/**
 * `silent`: it did not react, or not in time, or no longer holds; its lock may be taken. `late`: it did react, and is still at
 * it. `offset` is what it made durable, where it was asked to flush.
 */
export type PeerResponse = { silent: boolean; late: boolean; offset: number | null }

type Answer = { nonce: string; heard: true } | { nonce: string; done: true; offset: number | null }

export const HOLDER_SILENCE_MS = 100
export const HOLDER_WAIT_MS = 2000
/** Many lines cut at once leave many tails to store; an offset told before that sends bytes again. */
export const HOLDER_FLUSH_WAIT_MS = 5000

/** False when the process behind a channel of this machine has ended for certain. */
export function mayBeAlive(channel: string): boolean {
  const pid = Number(channel.split('-')[0])
  return !Number.isInteger(pid) || pid <= 0 || isProcessAlive(pid)
}

const NO_REACTION: PeerResponse = { silent: true, late: false, offset: null }
const LATE: PeerResponse = { silent: true, late: true, offset: null }

const channelOf = (name: string) => `sn:peer:${name}`

export class Peers {
  /** This process's name on the line; its id stands first, for those on the same machine. */
  readonly channel = `${process.pid}-${newToken()}`
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #logger: Logger
  readonly #holders = new Map<string, Holder>()
  readonly #arrivals = new Map<string, () => void>()
  readonly #waiting = new Map<string, (answer: Answer) => void>()

  constructor(publisher: RedisConnection, subscriber: RedisConnection, logger: Logger) {
    this.#publisher = publisher
    this.#subscriber = subscriber
    this.#logger = logger
  }

  async start(): Promise<void> {
    this.#subscriber.on('message', (channel: string, message: string) => {
      if (channel === channelOf(this.channel)) this.#onMessage(message)
    })
    await viaRedis(this.#subscriber.subscribe(channelOf(this.channel)))
  }

  get holders(): IterableIterator<Holder> {
    return this.#holders.values()
  }

  add(holder: Holder): void {
    this.#holders.set(holder.id, holder)
    this.#arrivals.get(holder.fence)?.()
  }

  remove(holder: Holder): void {
    if (this.#holders.get(holder.id) === holder) this.#holders.delete(holder.id)
  }

  /** Asks the holder `fence` of upload `id`. */
  async ask(
    what: 'flush' | 'yield',
    id: string,
    fence: string,
    channel: string,
    reason: YieldReason = 'taken-over',
  ): Promise<PeerResponse> {
    if (channel === this.channel) {
      const holder = await this.#holderOf(id, fence)
      if (holder === undefined) return NO_REACTION
      return await withinWait(this.#serve(holder, what, reason), waitMs(what))
    }
    const nonce = newToken()
    return await new Promise((resolve) => {
      const finish = (result: PeerResponse) => {
        clearTimeout(timer)
        this.#waiting.delete(nonce)
        resolve(result)
      }
      let timer = setTimeout(() => finish(NO_REACTION), HOLDER_SILENCE_MS)
      this.#waiting.set(nonce, (answer) => {
        if ('done' in answer) {
          finish({ silent: false, late: false, offset: answer.offset })
          return
        }
        clearTimeout(timer)
        timer = setTimeout(() => finish(LATE), waitMs(what))
      })
      this.#send(channel, { ask: what, id, fence, reason, reply: this.channel, nonce })
    })
  }

  /** The holder of a lock; one that has just taken it may still be opening its file. */
  async #holderOf(id: string, fence: string): Promise<Holder | undefined> {
    const holder = this.#holders.get(id)
    if (holder?.fence === fence) return holder
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, HOLDER_SILENCE_MS)
      this.#arrivals.set(fence, () => {
        clearTimeout(timer)
        resolve()
      })
    })
    this.#arrivals.delete(fence)
    const arrived = this.#holders.get(id)
    return arrived?.fence === fence ? arrived : undefined
  }

  async #serve(holder: Holder, what: 'flush' | 'yield', reason: YieldReason): Promise<number | null> {
    if (what === 'flush') return await holder.flush()
    await holder.yield(reason)
    return null
  }

  #onMessage(message: string): void {
    const spoken = JSON.parse(message) as Question | Answer
    if (!('ask' in spoken)) {
      this.#waiting.get(spoken.nonce)?.(spoken)
      return
    }
    this.#answer(spoken).catch((err: unknown) => {
      this.#logger.warn({ err, uploadId: spoken.id }, 'a running upload could not be handed over in order')
      this.#send(spoken.reply, { nonce: spoken.nonce, done: true, offset: null })
    })
  }

  async #answer(question: Question): Promise<void> {
    const { id, fence, ask, reason, reply, nonce } = question
    const holder = await this.#holderOf(id, fence)
    // Not (or no longer) the holder: silence says that the lock may be taken.
    if (holder === undefined) return
    this.#send(reply, { nonce, heard: true })
    const offset = await this.#serve(holder, ask, reason ?? 'taken-over')
    this.#send(reply, { nonce, done: true, offset })
  }

  #send(channel: string, message: Question | Answer): void {
    this.#publisher.publish(channelOf(channel), JSON.stringify(message)).catch((err: unknown) => {
      this.#logger.warn({ err }, 'a message to another process was lost; it goes on without the answer')
    })
  }

  /** Asks every holder of this process to let go: the process is about to end. */
  async yieldAll(): Promise<void> {
    await Promise.allSettled([...this.#holders.values()].map((holder) => holder.yield('draining')))
  }
}

function waitMs(what: 'flush' | 'yield'): number {
  return what === 'flush' ? HOLDER_FLUSH_WAIT_MS : HOLDER_WAIT_MS
}

async function withinWait(work: Promise<number | null>, limitMs: number): Promise<PeerResponse> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<PeerResponse>((resolve) => {
    timer = setTimeout(() => resolve(LATE), limitMs)
  })
  const done = work.then(
    (offset) => ({ silent: false, late: false, offset }),
    () => NO_REACTION,
  )
  return await Promise.race([done, late]).finally(() => clearTimeout(timer))
}
