// Fault injection: what fails, when, and for how long.

import { setTimeout as delay } from 'node:timers/promises'
import type { Running } from '../../test/support/service.ts'
import type { Fault } from './scenarios.ts'
import type { Stage } from './stage/stage.ts'

/** Milliseconds from the start. */
export type FaultMark = {
  name: string
  fromMs: number
  toMs: number
  /** Redis or the bucket is unavailable: then requests are held for a limited time instead of being refused. */
  held: boolean
}

/** Whether a response (second of arrival, latency in ms) falls into a time in which requests are held. */
export function wasHeld(marks: readonly FaultMark[], [at, tookMs]: readonly [number, number]): boolean {
  const toMs = at * 1000
  const fromMs = toMs - tookMs - TOLD_WITHIN_MS
  return marks.some((mark) => mark.held && fromMs < mark.toMs && toMs > mark.fromMs)
}

export type FaultRun = {
  readonly marks: FaultMark[]
  /** Resolves when all faults have happened and are over. */
  readonly done: Promise<void>
}

/** Responses are reported once per second. */
const TOLD_WITHIN_MS = 1000

export type FaultTimes = { startAtMs: number; arrivalMs: number; signal: AbortSignal }

/** @param before called before a process is ended, because its counters are lost with it */
export function runFaults(
  stage: Stage,
  faults: readonly Fault[],
  times: FaultTimes,
  before: () => Promise<void>,
): FaultRun {
  const marks: FaultMark[] = []
  const since = () => Date.now() - times.startAtMs
  const one = async (fault: Fault): Promise<void> => {
    const dueMs = times.startAtMs + fault.at * times.arrivalMs - Date.now()
    try {
      await delay(Math.max(0, dueMs), undefined, { signal: times.signal })
    } catch {
      return // the run ended before this fault was due
    }
    const held = fault.act === 'redisAway' || fault.act === 's3Trouble'
    const mark = { name: nameOf(fault), fromMs: since(), toMs: since(), held }
    marks.push(mark)
    await act(stage, fault, times, before)
    mark.toMs = since()
  }
  const done = Promise.all(faults.map(one)).then(() => undefined)
  done.catch(() => {}) // awaited by the conductor, later
  return { marks, done }
}

function nameOf(fault: Fault): string {
  switch (fault.act) {
    case 'killService':
      return `service ${fault.which + 1} killed`
    case 'restartService':
      return `service ${fault.which + 1} restarted`
    case 'restartWorker':
      return `worker ${fault.which + 1} restarted`
    case 'killWorkers':
      return 'workers killed'
    case 'cutAll':
      return 'all connections cut'
    case 'redisAway':
      return fault.how === 'kill' ? 'Redis killed' : 'Redis frozen'
    case 's3Trouble':
      return `S3: ${Math.round(fault.refused * 100)} % refused`
    case 'diskFree':
      return fault.freeBytes === null ? 'disk has space' : `disk: ${Math.round(fault.freeBytes / 1024 ** 2)} MiB free`
  }
}

async function act(stage: Stage, fault: Fault, times: FaultTimes, before: () => Promise<void>): Promise<void> {
  const end = async (running: Running | undefined, signal: NodeJS.Signals, backAfterMs: number) => {
    if (running === undefined) return
    await before()
    stage.keepLogs(running)
    await running.kill(signal)
    await delay(backAfterMs)
    await running.restart()
    await running.ready()
  }
  switch (fault.act) {
    case 'killService':
      return await end(stage.services[fault.which], 'SIGKILL', fault.backAfterMs)
    case 'restartService':
      return await end(stage.services[fault.which], 'SIGTERM', 0)
    case 'restartWorker':
      return await end(stage.workers[fault.which], 'SIGTERM', 0)
    case 'killWorkers': {
      const untilMs = times.startAtMs + fault.until * times.arrivalMs
      for (let i = 0; Date.now() < untilMs && !times.signal.aborted; i++) {
        const nextMs = Date.now() + fault.everyMs
        await end(stage.workers[i % stage.workers.length], 'SIGKILL', 0)
        await delay(Math.max(0, nextMs - Date.now()))
      }
      return
    }
    case 'cutAll':
      await stage.front.cut()
      return
    case 'redisAway': {
      const { redis } = stage
      if (fault.how === 'kill') await redis.kill()
      else await redis.pause()
      await delay(fault.forMs)
      if (fault.how === 'kill') await redis.restart()
      else redis.resume()
      return
    }
    case 's3Trouble': {
      const remove = [
        stage.proxy?.fault({ when: () => Math.random() < fault.refused, act: 'answer', status: 503 }),
        stage.proxy?.fault({ when: () => Math.random() < fault.slow, act: 'delay', ms: fault.slowMs }),
      ]
      await delay(fault.forMs)
      for (const one of remove) one?.()
      return
    }
    case 'diskFree':
      return await stage.disk?.setFree(fault.freeBytes)
  }
}
