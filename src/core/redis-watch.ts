// What a process asks its Redis every two seconds: what time it is there, and whether it takes writes. Dates come from
// that one clock, or two machines whose own clocks differ would judge one deadline differently; a server that answers
// PING may still refuse every write.

import { once } from 'node:events'
import { type Clock, systemClock } from './clock.ts'
import type { Logger } from './logger.ts'
import { commandLoader, run } from './lua-commands.ts'
import type { RedisConnection } from './redis.ts'
import type { RunId } from './run-id.ts'

const readClock = commandLoader(new URL('./commands/', import.meta.url))('read-clock')
const LOOK_MS = 2000
/** The probe's key goes by itself soon after its process. */
const PROBE_TTL_MS = 10_000
/** One refusal may be a fail-over that is over when the next look comes. */
const REFUSALS_BELIEVED = 2
/** A difference that is worth a line in the log; ordinary clocks of one network agree to milliseconds. */
const NOTABLE_SKEW_MS = 5000

export type RedisWatchDeps = {
  /** Of the role `producer`, which fails instead of waiting. */
  redis: RedisConnection
  runId: Pick<RunId, 'ask'>
  logger: Logger
  /** The machine's clock; another one in tests. */
  own?: Clock
}

export class RedisWatch {
  readonly #deps: RedisWatchDeps
  readonly #own: Clock
  /** Redis' time minus this process' monotonic time; the machine's own time until Redis has told. */
  #offsetMs: number
  #measured = false
  #skewed = false
  #refusals = 0
  #refusal = ''
  #looking = false
  #timer: NodeJS.Timeout | undefined

  /** Dates for everything that is written or judged: goes on evenly while Redis is away. */
  readonly clock: Clock = { now: () => Math.floor(performance.now() + this.#offsetMs) }

  constructor(deps: RedisWatchDeps) {
    this.#deps = deps
    this.#own = deps.own ?? systemClock
    this.#offsetMs = this.#own.now() - performance.now()
  }

  /** Looks once, then every two seconds; never keeps a process alive. */
  async start(): Promise<void> {
    await this.look()
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Whether Redis has told its time; before that it is the machine's own. */
  get isMeasured(): boolean {
    return this.#measured
  }

  /** Milliseconds by which the machine's own clock is ahead of Redis'; negative: behind. */
  skewMs(): number {
    return this.#own.now() - this.clock.now()
  }

  /** Why Redis takes no writes, in its own words, when it answered last. Undefined: it took them. */
  refusal(): string | undefined {
    return this.#refusals >= REFUSALS_BELIEVED ? this.#refusal : undefined
  }

  /** One look, and one at a time: a Redis that hangs holds a question for a while. Never rejects. */
  async look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      // Apart: it waits for its own connection, which waits long for a Redis that is away.
      void this.#deps.runId.ask()
      await this.#connected()
      await Promise.all([this.#askTime(), this.#tryWrite()])
    } finally {
      this.#looking = false
    }
  }

  /**
   * Waits for a connection that is being made. On a server that is no longer the primary every write of anybody ends the
   * connection; asked at a fixed time only, that server might never be asked on one that stands.
   */
  async #connected(): Promise<void> {
    const { redis, logger } = this.#deps
    if (redis.status === 'ready') return
    try {
      await once(redis, 'ready', { signal: AbortSignal.timeout(LOOK_MS) })
    } catch (err) {
      logger.debug({ err }, 'no connection to Redis')
    }
  }

  async #askTime(): Promise<void> {
    const sentMs = performance.now()
    try {
      const [seconds, microseconds] = await timeOf(this.#deps.redis)
      this.#learn(Number(seconds) * 1000 + Number(microseconds) / 1000, sentMs, performance.now())
    } catch (err) {
      this.#deps.logger.debug({ err }, 'Redis did not tell the time: as before')
    }
  }

  /** The server read its clock at some moment between the question and the answer: only what contradicts that is wrong. */
  #learn(serverMs: number, sentMs: number, answeredMs: number): void {
    const [least, most] = [serverMs - answeredMs, serverMs - sentMs]
    this.#offsetMs = this.#measured ? Math.min(Math.max(this.#offsetMs, least), most) : (least + most) / 2
    this.#measured = true
    const skewed = Math.abs(this.skewMs()) > NOTABLE_SKEW_MS
    if (skewed && !this.#skewed)
      this.#deps.logger.warn(
        { skewMs: this.skewMs() },
        "this machine's clock differs from that of Redis, which decides",
      )
    this.#skewed = skewed
  }

  async #tryWrite(): Promise<void> {
    try {
      await tryWrite(this.#deps.redis)
      this.#refusals = 0
    } catch (error) {
      // One that does not answer is known to everybody who asks it: those wait, and are told to come again.
      // Nor does silence end a refusal: after some of them the connection is made anew, and drops what was asked on it.
      if (!(error instanceof Error) || error.name !== 'ReplyError') return
      this.#refusal = error.message
      this.#refusals++
    }
  }
}

/** Of a cluster: of the node that has the lists of the portals. */
async function timeOf(redis: RedisConnection): Promise<(string | number)[]> {
  if (!redis.isCluster) return await redis.time()
  return (await run(redis, readClock, ['sn:{portals}:clock'], [])) as number[]
}

/** Resolves when Redis has taken a write. */
export async function tryWrite(redis: RedisConnection): Promise<void> {
  await redis.set(`sn:probe:${process.pid}`, '1', 'PX', PROBE_TTL_MS)
}
