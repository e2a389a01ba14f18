// `npm run neighbours`: three people who hurt others, one after the other, beside an honest one, and what the honest one
// notices of it. Exit code 1 where it is more than promised.

import { runTool } from './lib/usage.ts'
import { type NeighboursArgs, parseNeighboursArgs, USAGE } from './neighbours/args.ts'
import { measureReads } from './neighbours/reads.ts'
import { openStage, type Stage } from './neighbours/stage.ts'
import { measureVerdicts } from './neighbours/verdicts.ts'
import { measureWebhooks } from './neighbours/webhooks.ts'

/** One promise: milliseconds that a 95th percentile must keep within, or a number that must be 0. */
export type Line = { what: string; alone?: number; beside: number; goal: number; unit: 'ms' | '' }

const MEASURES: Record<NeighboursArgs['only'][number], (stage: Stage, args: NeighboursArgs) => Promise<Line[]>> = {
  verdicts: measureVerdicts,
  webhooks: measureWebhooks,
  reads: measureReads,
}

const say = (line: string) => process.stdout.write(`${line}\n`)

function row({ what, alone, beside, goal, unit }: Line): string {
  const number = (value: number) => (unit === 'ms' ? `${Math.round(value)} ms` : String(value))
  const before = alone === undefined ? '' : `alone ${number(alone)}, `
  const kept = beside <= goal ? 'kept' : 'NOT KEPT'
  return `${what}: ${before}beside them ${number(beside)} (at most ${number(goal)}: ${kept})`
}

await runTool(USAGE, async () => {
  const args = parseNeighboursArgs(process.argv.slice(2))
  let broken = 0
  for (const name of args.only) {
    // Each on a machine of its own: what one attack leaves behind must not be the next one's trouble.
    const stage = await openStage()
    try {
      for (const line of await MEASURES[name](stage, args)) {
        say(row(line))
        if (line.beside > line.goal) broken++
      }
    } finally {
      await stage.close()
    }
  }
  return broken === 0 ? 0 : 1
})
