// Every process reads the control settings once a second and applies them. Polled, not published: a
// message that is lost during a Redis outage would never be applied.

import { hostname } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Lane } from '../jobs/contract.ts'
import type { Closure, ControlState, Controls } from './controls.ts'
import { isInForce } from './intake.ts'

const LOOK_MS = 1000

export type WatchDeps = {
  controls: Controls
  clock: Clock
  logger: Logger
  /** Name of this instance, as used by `drain`. */
  instance: string
  /** Applies the settings; called only after a change. */
  apply: (settings: ControlSettings) => Promise<void> | void
}

/** The control settings of one process. */
export type ControlSettings = {
  admission: Closure | null
  draining: boolean
  concurrency: Partial<Record<Lane, number>>
}

/** All processes behind one operations listener are one instance. */
export function instanceName(ops: { port: number }): string {
  return `${hostname()}:${ops.port}`
}

/** Starts polling; resolves after the first reading. @returns a function that stops it */
export async function watchControls(deps: WatchDeps): Promise<() => void> {
  const { controls, clock, logger, instance, apply } = deps
  const startedMs = clock.now()
  let before = JSON.stringify(NO_ORDERS)
  let looking = false
  const look = async () => {
    const settings = settingsFor(await controls.read(), instance, startedMs)
    const now = JSON.stringify(settings)
    if (now === before) return
    await apply(settings)
    before = now
    logger.info({ settings }, 'control settings applied')
  }
  const tick = async () => {
    // One at a time: without Redis a command waits for a while.
    if (looking) return
    looking = true
    await look()
      .catch((err: unknown) => logger.warn({ err }, 'control settings cannot be read; the last ones stay in force'))
      .finally(() => {
        looking = false
      })
  }
  await tick()
  const timer = setInterval(() => void tick(), LOOK_MS)
  return () => clearInterval(timer)
}

const NO_ORDERS: ControlSettings = { admission: null, draining: false, concurrency: {} }

/** @param startedMs start of the process; earlier drains do not apply to it @internal */
export function settingsFor(state: ControlState, instance: string, startedMs: number): ControlSettings {
  return {
    admission: state.admission,
    draining: isInForce(state.drains[instance], startedMs),
    concurrency: Object.fromEntries(Object.entries(state.concurrency).map(([lane, { jobs }]) => [lane, jobs])),
  }
}
