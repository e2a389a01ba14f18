// `npm run neighbours`: runs three attacks by one client, one after the other, and measures how much an honest client is
// slowed down. Exit code 1 if a limit is exceeded.

import { runTool } from './lib/usage.ts'
import { type NeighboursArgs, parseNeighboursArgs, USAGE } from './neighbours/args.ts'
import { measureReads } from './neighbours/reads.ts'
import { openStage, type Stage } from './neighbours/stage.ts'
import { measureVerdicts } from './neighbours/verdicts.ts'
import { measureWebhooks } from './neighbours/webhooks.ts'

/** One goal: a limit in milliseconds for a 95th percentile, or a number that must be 0. */
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
  const result = beside <= goal ? 'met' : 'MISSED'
  return `${what}: ${before}under attack ${number(beside)} (limit ${number(goal)}: ${result})`
}

await runTool(USAGE, async () => {
  const args = parseNeighboursArgs(process.argv.slice(2))
  let broken = 0
  for (const name of args.only) {
    // Each attack has its own installation, so that it does not affect the next one.
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
