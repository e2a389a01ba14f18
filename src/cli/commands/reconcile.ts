// `reconcile`: re-queues overdue work; with --rebuild, rebuilds Redis from the store.

import { rebuild } from '../../lifecycle/rebuild.ts'
import { type Command, type Context, flag, type Result } from '../command.ts'
import { usageError } from '../errors.ts'
import { timeInWords } from '../render.ts'

/** Limit, so that uploads that are due again at once do not keep it running for ever. */
const MAX_TICKS = 1000

export const reconcile: Command = {
  name: 'reconcile',
  takes: '[--rebuild]',
  summary: 're-queues overdue work; --rebuild rebuilds Redis from the store',
  help: [
    'A running service re-queues every minute, and rebuilds if Redis has lost its data.',
    'Both are safe at any time, beside running services and workers, and can be repeated.',
  ],
  options: { rebuild: flag },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('reconcile takes only options')
    return (context) => run(context, values['rebuild'] === true)
  },
}

async function run({ deps, find }: Context, all: boolean): Promise<Result> {
  // Expiring an upload asks the process that may be receiving it.
  await deps.peers.start()
  const rebuilt = all ? await rebuild(deps) : undefined
  // Entries lost from the search index are not in the list of last changes: index everything again.
  if (all) await find.forgetMarks()
  let looked = 0
  for (let tick = 0; tick < MAX_TICKS; tick++) {
    const some = await deps.reconciler.tick()
    looked += some
    if (some === 0) break
  }
  const words =
    rebuilt === undefined
      ? []
      : [
          `Rebuilt in ${timeInWords(rebuilt.ms)}: ${rebuilt.submissions} submissions, ${rebuilt.uploads} uploads, ` +
            `${rebuilt.events} events; ${rebuilt.jobs} jobs re-queued.`,
        ]
  return {
    json: { looked, ...(rebuilt === undefined ? {} : { rebuilt }) },
    text: [...words, `${looked} ${looked === 1 ? 'upload was' : 'uploads were'} due and checked.`],
  }
}
