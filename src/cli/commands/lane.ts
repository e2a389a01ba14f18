// `lane`: shows the queues, pauses or resumes one, or sets its concurrency.

import { LANES, type Lane } from '../../jobs/contract.ts'
import { MAX_CONCURRENCY } from '../../ops/controls.ts'
import { statsOfQueues } from '../../ops/queue-stats.ts'
import type { Command, Context } from '../command.ts'
import { usageError } from '../errors.ts'
import { tableLines, timeInWords } from '../render.ts'
import { wholeNumber } from '../values.ts'

export const lane: Command = {
  name: 'lane',
  takes: '[NAME pause | NAME resume | NAME concurrency N|default]',
  summary: 'the queues: show, pause, resume, set concurrency',
  help: [
    `NAME is one of ${LANES.join(', ')}. N applies to each worker process.`,
    'Applied within a second on every running worker, and kept over restarts. Running jobs are finished.',
  ],
  options: {},
  prepare(positionals) {
    const [name, what, value, ...rest] = positionals
    if (name === undefined) return shown
    const one = LANES.find((known) => known === name)
    if (one === undefined) throw usageError(`there is no lane "${name}": ${LANES.join(', ')}`)
    if (rest.length > 0 || (what !== 'concurrency' && value !== undefined)) throw usageError('too many arguments')
    const change = changeOf(one, what, value)
    return async (context) => {
      await change(context)
      return await shown(context)
    }
  },
}

function changeOf(name: Lane, what: string | undefined, value = ''): (context: Context) => Promise<void> {
  switch (what) {
    case 'pause':
      return ({ controls, operator }) => controls.pauseLane(operator, name)
    case 'resume':
      return ({ controls, operator }) => controls.resumeLane(operator, name)
    case 'concurrency': {
      const jobs = value === 'default' ? null : wholeNumber(value, 'concurrency', 1, MAX_CONCURRENCY)
      return ({ controls, operator }) => controls.setConcurrency(operator, name, jobs)
    }
    default:
      throw usageError(`lane ${name}: pause, resume or concurrency N is required`)
  }
}

async function shown({ controls, deps, nowMs }: Context) {
  const [state, paused, stats] = await Promise.all([
    controls.read(),
    controls.pausedLanes(),
    statsOfQueues(deps.queues.byLane, deps.redis.producer, nowMs),
  ])
  const lanes = LANES.map((name) => {
    const { counts, oldestWaitingSeconds } = stats[name]
    const concurrency = state.concurrency[name]?.jobs ?? null
    return { lane: name, paused: paused.includes(name), concurrency, ...counts, oldestWaitingSeconds }
  })
  const rows = lanes.map((one) => [
    one.lane,
    one.paused ? 'paused' : 'running',
    one.concurrency ?? 'default',
    one.waiting + one.prioritized,
    one.active,
    one.delayed,
    one.failed,
    timeInWords(one.oldestWaitingSeconds * 1000),
  ])
  const head = ['lane', 'state', 'concurrency', 'waiting', 'active', 'later', 'failed', 'oldest']
  return { json: { lanes }, text: tableLines(rows, head) }
}
