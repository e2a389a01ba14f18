// `npm run fleet -- --teachers 500000 --hours 4`: what one evening needs, from measured costs and stated assumptions.

import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { evening } from './fleet/evening.ts'
import { loadFigures } from './fleet/figures.ts'
import { planFleet } from './fleet/plan.ts'
import { simulate } from './fleet/simulate.ts'
import { planRows } from './fleet/table.ts'
import { runTool } from './lib/usage.ts'

await runTool(async () => {
  const { values } = parseArgs({
    options: {
      teachers: { type: 'string', default: '500000' },
      hours: { type: 'string', default: '4' },
      figures: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const teachers = Number(values.teachers)
  const minutes = Number(values.hours) * 60
  if (!(teachers > 0 && minutes >= 1)) {
    process.stderr.write(
      'usage: npm run fleet -- [--teachers N] [--hours H] [--figures FILE] [--json FILE]\n',
    )
    return 2
  }
  const figures = values.figures === undefined ? loadFigures() : loadFigures(values.figures)
  const curves = evening(teachers, minutes, figures)
  const plan = planFleet(teachers, curves, figures)
  const simulated = simulate(plan, curves, figures, minutes)
  for (const [what, much] of planRows(plan, simulated)) process.stdout.write(`${what.padEnd(52)} ${much}\n`)
  if (values.json !== undefined)
    await writeFile(values.json, `${JSON.stringify({ ...plan, simulated }, null, 2)}\n`)
  return 0
})
