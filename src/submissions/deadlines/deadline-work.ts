// What deadlines ask for, done by the services: each takes a few submissions whose time has come, one look at each, and goes on while there
// are more. Thousands that end in the same second must not slow the uploads of others: few at a time, with pauses.

import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { runEvery } from '../../core/every.ts'
import { inParallel } from '../../core/in-parallel.ts'
import type { Logger } from '../../core/logger.ts'
import type { Metrics } from '../../core/metrics.ts'
import { nextStepMs, stepAt } from '../../records/deadline-steps.ts'
import type { Leased } from '../../records/due-dates.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import type { SealDeps } from '../seal.ts'
import { tellDue } from './due-event.ts'
import { type Settled, settleEndOfTime } from './end-of-time.ts'

const EVERY_MS = 1000
/** Few, since a process that dies leaves its leases to the others only after some seconds. */
const BATCH = 32
const WIDTH = 8
/** Pauses, as a multiple of the time that the process was busy meanwhile, with uploads too: waiting for the store slows nobody. */
const REST = 0.3
const LOOK_AGAIN_MS = 60_000

export type DeadlineDeps = SealDeps & {
  clock: Clock
  logger: Logger
  metrics: Pick<Metrics, 'submissionsClosed'>
  /** Whether the clock is that of Redis, as everywhere where dates are judged, and not yet the machine's own. */
  isClockSure: () => boolean
}

export class DeadlineWork {
  readonly #deps: DeadlineDeps
  #stopped = false

  constructor(deps: DeadlineDeps) {
    this.#deps = deps
  }

  /** Looks every second. @returns a function that stops it; what was leased and not begun is given back */
  start(): () => void {
    this.#stopped = false
    const end = runEvery(
      EVERY_MS,
      () => this.run(),
      (err) => this.#deps.logger.warn({ err }, 'deadlines could not be looked at; retrying'),
    )
    return () => {
      this.#stopped = true
      end()
    }
  }

  /** Looks at everything whose time has come. @returns at how many submissions */
  async run(): Promise<number> {
    const { index, clock, isClockSure } = this.#deps
    for (let looked = 0; ; ) {
      // A machine whose own clock is ahead must not end anybody's time.
      if (this.#stopped || !isClockSure()) return looked
      const leased = await index.dueDates.lease(clock.now(), BATCH)
      const before = performance.eventLoopUtilization()
      await inParallel(WIDTH, leased, (one) => this.#settle(one))
      looked += leased.length
      if (leased.length < BATCH) return looked
      await pause(performance.eventLoopUtilization(before).active * REST)
    }
  }

  async #settle(leased: Leased): Promise<void> {
    const { index, clock, logger } = this.#deps
    const { owner, submissionId } = leased
    if (this.#stopped) return await index.dueDates.release(leased, clock.now())
    let nextMs: number | null
    try {
      nextMs = await this.look(owner, submissionId)
    } catch (err) {
      logger.warn({ err, submissionId }, 'the deadline of a submission could not be looked at; retrying')
      nextMs = clock.now() + LOOK_AGAIN_MS
    }
    await index.dueDates.release(leased, nextMs)
  }

  /** Does what is due on one submission. Safe at any time. @returns when to look again, or null */
  async look(owner: string, id: string): Promise<number | null> {
    const { heads, clock } = this.#deps
    const known = await heads.latest(owner, id)
    // The commit of a seal fails where the store has a newer version, so what Redis has is enough to begin with.
    const settled = known === undefined ? undefined : await this.#settleIfOver(known)
    if (settled !== undefined && settled.outcome !== 'nothing') return settled.againMs
    // The store decides; what it has may not have been told, if its process died.
    const stored = await heads.fromStore(owner, id)
    if (stored === undefined) return null
    await heads.announce(stored)
    const over = stored.version === known?.version ? settled : await this.#settleIfOver(stored)
    if (over !== undefined) return over.againMs
    const step = stepAt(stored, clock.now())
    if (step?.kind === 'due') await tellDue(this.#deps, owner, id, step.hours)
    return nextStepMs(stored, clock.now())
  }

  /** Undefined: its time is not over. */
  async #settleIfOver(head: SubmissionHead): Promise<Settled | undefined> {
    if (stepAt(head, this.#deps.clock.now())?.kind !== 'over') return undefined
    const settled = await settleEndOfTime(this.#deps, head)
    if (settled.outcome !== 'nothing') this.#deps.metrics.submissionsClosed.inc({ outcome: settled.outcome })
    return settled
  }
}
