// Messages between processes about running uploads: one channel per process. A request asks the holder of an upload
// to store what it has (`flush`, for HEAD) or to release the lock (`yield`, for PATCH and DELETE). A holder that does not
// answer within 100 ms counts as unresponsive.

import { newToken } from '../core/ids.ts'
import type { Logger } from '../core/logger.ts'
import { isProcessAlive } from '../core/process-alive.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { withTimeout } from '../core/with-timeout.ts'

export type YieldReason = 'taken-over' | 'ended' | 'draining'

/** The request that is receiving an upload in this process. */
export interface Holder {
  readonly id: string
  readonly fence: string
  /** Makes the received bytes durable; resolves with the durable offset. The request continues. */
  flush(): Promise<number>
  /**
   * Stops receiving and releases the lock. Resolves when that is done. Unstored bytes are dropped, since
   * a newer request sends them again; if only this process ends (`draining`), they are stored.
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
 * `unresponsive`: it did not answer in time, or no longer holds the lock; the lock may be taken. `timedOut`: it answered and is still
 * working. `offset`: the durable offset after a flush.
 */
export type PeerResponse = { unresponsive: boolean; timedOut: boolean; offset: number | null }

type Answer = { nonce: string; heard: true } | { nonce: string; done: true; offset: number | null }

const HOLDER_SILENCE_MS = 100
const HOLDER_WAIT_MS = 2000
/** After many lost connections many tails must be stored; an older offset would make clients send bytes again. */
const HOLDER_FLUSH_WAIT_MS = 5000

/** False if the process of a channel on this machine has certainly ended. */
export function mayBeAlive(channel: string): boolean {
  const pid = Number(channel.split('-')[0])
  return !Number.isInteger(pid) || pid <= 0 || isProcessAlive(pid)
}

const NO_ANSWER: PeerResponse = { unresponsive: true, timedOut: false, offset: null }
const TIMED_OUT: PeerResponse = { unresponsive: true, timedOut: true, offset: null }

const channelOf = (name: string) => `sn:peer:${name}`

export class Peers {
  /** Channel of this process; it starts with the process id, for processes on the same machine. */
  readonly channel = `${process.pid}-${newToken()}`
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #logger: Logger
  readonly #silenceMs: number
  readonly #holders = new Map<string, Holder>()
  readonly #arrivals = new Map<string, () => void>()
  readonly #waiting = new Map<string, (answer: Answer) => void>()

  constructor(publisher: RedisConnection, subscriber: RedisConnection, logger: Logger, silenceMs = HOLDER_SILENCE_MS) {
    this.#publisher = publisher
    this.#subscriber = subscriber
    this.#logger = logger
    this.#silenceMs = silenceMs
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

  /** Sends a request to the holder with this fence. */
  async ask(
    what: 'flush' | 'yield',
    id: string,
    fence: string,
    channel: string,
    reason: YieldReason = 'taken-over',
  ): Promise<PeerResponse> {
    if (channel === this.channel) {
      const holder = await this.#holderOf(id, fence)
      if (holder === undefined) return NO_ANSWER
      return await withinWait(this.#serve(holder, what, reason), waitMs(what))
    }
    const nonce = newToken()
    return await new Promise((resolve) => {
      const finish = (result: PeerResponse) => {
        clearTimeout(timer)
        this.#waiting.delete(nonce)
        resolve(result)
      }
      let timer = setTimeout(() => finish(NO_ANSWER), this.#silenceMs)
      this.#waiting.set(nonce, (answer) => {
        if ('done' in answer) {
          finish({ unresponsive: false, timedOut: false, offset: answer.offset })
          return
        }
        clearTimeout(timer)
        timer = setTimeout(() => finish(TIMED_OUT), waitMs(what))
      })
      this.#send(channel, { ask: what, id, fence, reason, reply: this.channel, nonce })
    })
  }

  /** The holder of a lock; a new holder may still be opening its file. */
  async #holderOf(id: string, fence: string): Promise<Holder | undefined> {
    const holder = this.#holders.get(id)
    if (holder?.fence === fence) return holder
    const arrival = new Promise<void>((resolve) => this.#arrivals.set(fence, resolve))
    await withTimeout(arrival, this.#silenceMs, () => undefined)
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
      this.#logger.warn({ err, uploadId: spoken.id }, 'a running upload could not be handed over cleanly')
      this.#send(spoken.reply, { nonce: spoken.nonce, done: true, offset: null })
    })
  }

  async #answer(question: Question): Promise<void> {
    const { id, fence, ask, reason, reply, nonce } = question
    const holder = await this.#holderOf(id, fence)
    // Not the holder (any more): no answer means that the lock may be taken.
    if (holder === undefined) return
    this.#send(reply, { nonce, heard: true })
    const offset = await this.#serve(holder, ask, reason ?? 'taken-over')
    this.#send(reply, { nonce, done: true, offset })
  }

  #send(channel: string, message: Question | Answer): void {
    this.#publisher.publish(channelOf(channel), JSON.stringify(message)).catch((err: unknown) => {
      this.#logger.warn({ err }, 'an answer to another process could not be sent; that process continues without it')
    })
  }

  /** Makes every holder of this process release its lock: the process is ending. */
  async yieldAll(): Promise<void> {
    await Promise.allSettled([...this.#holders.values()].map((holder) => holder.yield('draining')))
  }
}

function waitMs(what: 'flush' | 'yield'): number {
  return what === 'flush' ? HOLDER_FLUSH_WAIT_MS : HOLDER_WAIT_MS
}

async function withinWait(work: Promise<number | null>, limitMs: number): Promise<PeerResponse> {
  const done = work.then(
    (offset) => ({ unresponsive: false, timedOut: false, offset }),
    () => NO_ANSWER,
  )
  return await withTimeout(done, limitMs, () => TIMED_OUT)
}
