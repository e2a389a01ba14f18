// `npm run rehearse -- --scenario NAME`: simulates the deadline day on this machine and writes a report.
// Exit code 1 if the audit finds an error or a goal is missed.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readSettings } from './lib/settings.ts'
import { runTool } from './lib/usage.ts'
import { parseRehearsalArgs, USAGE } from './rehearse/args.ts'
import { reportHtml } from './rehearse/report/html.ts'
import { writeOverview } from './rehearse/report/overview.ts'
import { resultLines } from './rehearse/report/words.ts'
import { rehearse } from './rehearse/run.ts'
import { opsUrl } from './surge/service-metrics.ts'

/** Longest wait for open requests after the run; then the report is written without them. */
const LINGER_MS = 10_000

await runTool(USAGE, async () => {
  const args = parseRehearsalArgs(process.argv.slice(2))
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const given =
    args.url === undefined
      ? undefined
      : { settings: readSettings(process.env, args.url), ops: opsUrl(process.env, args.opsUrl) }
  const report = await rehearse(args, given, say)
  await mkdir(args.outDir, { recursive: true })
  const file = join(args.outDir, args.scenario.name)
  await writeFile(`${file}.json`, `${JSON.stringify(report)}\n`)
  await writeFile(`${file}.html`, reportHtml(report))
  await writeOverview(args.outDir)
  for (const line of resultLines(report)) say(line)
  say('')
  say(`${report.passed ? 'All goals are met.' : 'Goals were missed.'} ${file}.html`)
  return report.passed ? 0 : 1
})
setTimeout(() => process.exit(), LINGER_MS).unref()
