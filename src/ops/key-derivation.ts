// Keys are derived per purpose since a version that others may still run beside, during a rolling upgrade. Until the last
// of them has ended this process signs as they do: a teacher's ticket has to be good at every process.

import type { Clock } from '../core/clock.ts'
import type { KeyDerivation } from '../core/derive-key.ts'
import type { Logger } from '../core/logger.ts'
import type { RedisConnection } from '../core/redis.ts'
import { DERIVED_KEYS, runsWithout } from './heartbeat.ts'

const LOOK_MS = 5000

/** Looks once, and then until all service processes derive their keys; killed ones count for an hour. */
export class FleetKeyDerivation implements KeyDerivation {
  #active = false
  #timer: NodeJS.Timeout | undefined

  get active(): boolean {
    return this.#active
  }

  async start(deps: { redis: RedisConnection; clock: Clock; logger: Logger }): Promise<void> {
    const { redis, clock, logger } = deps
    const look = async () => {
      this.#active = !(await runsWithout(redis, DERIVED_KEYS, clock.now()))
      if (this.#active) this.stop()
    }
    const tryLook = () =>
      look().catch((err: unknown) => logger.warn({ err }, 'processes cannot be read; signing as earlier versions do'))
    this.#timer = setInterval(() => void tryLook(), LOOK_MS).unref()
    await tryLook()
    if (!this.#active)
      logger.info('a service process of an earlier version runs: signing as it does until it has ended')
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
