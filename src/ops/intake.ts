// Which instances accept new uploads, and which drain: from the heartbeats of all processes and the orders to drain.

import type { ProcessReport } from './heartbeat.ts'

export type Intake = {
  /** Instances with a service process that is alive and does not drain. */
  accepting: string[]
  /** Instances with a process, of any role, that is alive and drains. */
  draining: string[]
}

/** @param drains control settings that drain an instance, with their RFC 3339 times */
export function intakeOf(alive: readonly ProcessReport[], drains: Readonly<Record<string, { at: string }>>): Intake {
  // A control setting counts from when it is made: a process applies it a second later, and its heartbeat says so two seconds later.
  const drained = (one: ProcessReport) => one.draining || isInForce(drains[one.instance], one.startedAtMs)
  const instancesOf = (some: readonly ProcessReport[]) => [...new Set(some.map(({ instance }) => instance))]
  return {
    accepting: instancesOf(alive.filter((one) => one.role === 'service' && !drained(one))),
    draining: instancesOf(alive.filter(drained)),
  }
}

/** Whether an order to drain applies to a process: not to one that was started after it. */
export function isInForce(order: { at: string } | undefined, startedMs: number): boolean {
  return order !== undefined && Date.parse(order.at) >= startedMs
}
