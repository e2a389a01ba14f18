// `npm run fleet -- --teachers 500000 --hours 4`: capacity that one evening needs, from measured costs and stated assumptions.

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { evening } from './fleet/evening.ts'
import { loadFigures } from './fleet/figures.ts'
import { planFleet } from './fleet/plan.ts'
import { simulate } from './fleet/simulate.ts'
import { planRows } from './fleet/table.ts'
import { numberOption, runTool, UsageError } from './lib/usage.ts'

const USAGE = `npm run fleet -- [options]     the machines that one evening needs
  --teachers N     people who hand in                        [500000]
  --hours H        from the opening to the deadline          [4]
  --figures FILE   your own measured costs, as in tools/fleet/figures.json
  --json FILE      write all numbers as JSON`

function readOptions() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ options: { teachers: text, hours: text, figures: text, json: text } }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

await runTool(USAGE, async () => {
  const values = readOptions()
  const most = Number.MAX_SAFE_INTEGER
  const teachers = numberOption('teachers', values.teachers, { fallback: 500_000, min: 1, max: most })
  const minutes = numberOption('hours', values.hours, { fallback: 4, min: 1 / 60, max: most }) * 60
  const figures = values.figures === undefined ? loadFigures() : loadFigures(values.figures)
  const curves = evening(teachers, minutes, figures)
  const plan = planFleet(teachers, curves, figures)
  const simulated = simulate(plan, curves, figures, minutes)
  for (const [what, value] of planRows(plan, simulated)) process.stdout.write(`${what.padEnd(52)} ${value}\n`)
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ ...plan, simulated }, null, 2)}\n`)
  return 0
})
