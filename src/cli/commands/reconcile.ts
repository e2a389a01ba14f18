// `reconcile`: what is due and nobody is doing is begun; with --rebuild Redis is made again from the store.

import { rebuild } from '../../lifecycle/rebuild.ts'
import { type Command, type Context, flag, type Result } from '../command.ts'
import { usageError } from '../errors.ts'
import { timeInWords } from '../render.ts'

/** A tick takes so many; uploads that are due again at once must not keep it going for ever. */
const MAX_TICKS = 1000

export const reconcile: Command = {
  name: 'reconcile',
  takes: '[--rebuild]',
  summary: 're-queues overdue work; --rebuild rebuilds Redis from the store',
  help: [
    'A running service does the first by itself every minute, and the second where Redis has lost what it knew.',
    'Both are safe at any time, beside running services and workers, and any number of times.',
  ],
  options: { rebuild: flag },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('reconcile takes no names')
    return (context) => run(context, values['rebuild'] === true)
  },
}

async function run({ deps, find }: Context, all: boolean): Promise<Result> {
  // Ending an upload that ran out asks whoever may be receiving it.
  await deps.peers.start()
  const rebuilt = all ? await rebuild(deps) : undefined
  // What the search index has forgotten is not in the order of the last changes.
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
            `${rebuilt.events} events; ${rebuilt.jobs} jobs queued again.`,
        ]
  return {
    json: { looked, ...(rebuilt === undefined ? {} : { rebuilt }) },
    text: [...words, `${looked} ${looked === 1 ? 'upload was' : 'uploads were'} due and looked at.`],
  }
}
