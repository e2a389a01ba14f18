// Every process reads the control settings once a second and applies them. Asked for rather than waited for: a
// message that is lost while Redis is away would leave a process behind for good.

import { hostname } from 'node:os'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Lane } from '../jobs/contract.ts'
import type { Closure, ControlState, Controls } from './controls.ts'

const LOOK_MS = 1000

export type WatchDeps = {
  controls: Controls
  clock: Clock
  logger: Logger
  /** Name of this instance, as `drain` names it. */
  instance: string
  /** What does what was switched; called only where something has changed. */
  apply: (orders: ControlSettings) => Promise<void> | void
}

/** What the switches say to one process. */
export type ControlSettings = {
  admission: Closure | null
  draining: boolean
  concurrency: Partial<Record<Lane, number>>
}

/** All processes behind one operations listener are one instance. */
export function instanceName(ops: { port: number }): string {
  return `${hostname()}:${ops.port}`
}

/** Starts watching; the first look has been taken when it resolves. @returns what ends it */
export async function watchControls(deps: WatchDeps): Promise<() => void> {
  const { controls, clock, logger, instance, apply } = deps
  const startedMs = clock.now()
  let before = JSON.stringify(NO_ORDERS)
  let looking = false
  const look = async () => {
    const orders = ordersOf(await controls.read(), instance, startedMs)
    const now = JSON.stringify(orders)
    if (now === before) return
    await apply(orders)
    before = now
    logger.info({ orders }, 'control settings applied')
  }
  const tick = async () => {
    // One at a time: a Redis that is away holds a question for a while.
    if (looking) return
    looking = true
    await look()
      .catch((err: unknown) => logger.warn({ err }, 'the switches cannot be read: as before'))
      .finally(() => {
        looking = false
      })
  }
  await tick()
  const timer = setInterval(() => void tick(), LOOK_MS)
  return () => clearInterval(timer)
}

const NO_ORDERS: ControlSettings = { admission: null, draining: false, concurrency: {} }

/** @param startedMs of the process: a drain that was ordered before is not meant for it */
export function ordersOf(state: ControlState, instance: string, startedMs: number): ControlSettings {
  const drain = state.drains[instance]
  return {
    admission: state.admission,
    draining: drain !== undefined && Date.parse(drain.at) >= startedMs,
    concurrency: Object.fromEntries(Object.entries(state.concurrency).map(([lane, { jobs }]) => [lane, jobs])),
  }
}
