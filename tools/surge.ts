// `npm run surge`: a small load test of a deadline day, with real tus clients, against a running service on this machine.
// Exit code 1 if an upload was lost, duplicated, restarted from byte 0, unfinished, or has no verdict.

import { writeFile } from 'node:fs/promises'
import { readSettings } from './lib/settings.ts'
import { runTool } from './lib/usage.ts'
import { parseSurgeArgs, USAGE } from './surge/args.ts'
import { runSurge } from './surge/run.ts'
import { opsUrl } from './surge/service-metrics.ts'
import { tableLines } from './surge/table.ts'

await runTool(USAGE, async () => {
  const args = parseSurgeArgs(process.argv.slice(2))
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const settings = readSettings(process.env, args.url)
  const summary = await runSurge(args, settings, opsUrl(process.env, args.opsUrl), say)
  say('')
  for (const line of tableLines(summary)) say(line)
  say('')
  for (const error of summary.errors) say(`✗ ${error}`)
  if (summary.errors.length === 0) say('No upload was lost, duplicated or restarted.')
  if (args.jsonFile !== undefined) await writeFile(args.jsonFile, `${JSON.stringify({ args, ...summary }, null, 2)}\n`)
  return summary.errors.length === 0 ? 0 : 1
})
