// The command line of `npm run deadline`.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run deadline     thousands of submissions that end in the same second
  --submissions N  complete ones, which are to be handed in by themselves  [10000]
  --webhooks       with a worker that delivers their events to a receiver
  --no-kills       services are not killed in the middle

Two services share the work; each is killed once in the middle and started again. Every fiftieth deadline is moved while its submission is being
sealed. Measures PATCH requests before and meanwhile, and checks the records: each sealed once, none too early, none missed.

Starts its own Redis and services, and ends them.`

/** In the middle of some ten thousand, and long enough after each other for one to be there again. */
const KILLS_AT_MS = [3000, 9000]

export type DeadlineArgs = { submissions: number; webhooks: boolean; killsAtMs: readonly number[] }

/** Throws UsageError. */
export function parseDeadlineArgs(args: readonly string[]): DeadlineArgs {
  const values = parsed(args)
  const limits = { fallback: 10_000, min: 1, max: 100_000, whole: true }
  return {
    submissions: numberOption('submissions', values.submissions, limits),
    webhooks: values.webhooks ?? false,
    killsAtMs: values['no-kills'] === true ? [] : KILLS_AT_MS,
  }
}

function parsed(args: readonly string[]) {
  const flag = { type: 'boolean' } as const
  const options = { submissions: { type: 'string' }, webhooks: flag, 'no-kills': flag } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
