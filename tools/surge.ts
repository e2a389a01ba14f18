// `npm run surge`: a small load test of a deadline day, with real tus clients, against a running service.
// Exit code 1 if an upload was lost, duplicated, restarted from byte 0, unfinished, or has no verdict.

import { writeFile } from 'node:fs/promises'
import { checkCa } from './lib/certificates.ts'
import { consentOf } from './lib/consent.ts'
import { readSettings } from './lib/settings.ts'
import { runTool } from './lib/usage.ts'
import { parseSurgeArgs, USAGE } from './surge/args.ts'
import { runSurge } from './surge/run.ts'
import { opsUrls } from './surge/service-metrics.ts'
import { tableLines } from './surge/table.ts'

await runTool(USAGE, async () => {
  const args = parseSurgeArgs(process.argv.slice(2))
  const say = (line: string) => process.stdout.write(`${line}\n`)
  checkCa(args.ca, process.env)
  const settings = readSettings(process.env, args.url)
  const stage = await consentOf(settings.base, process.env)
  const ops = opsUrls(process.env, settings.base, args.opsUrl)
  const summary = await runSurge(args, { settings, stage, ops }, say)
  say('')
  for (const line of tableLines(summary)) say(line)
  say('')
  for (const error of summary.errors) say(`✗ ${error}`)
  for (const id of summary.removal?.left ?? []) say(`not removed: ${id}`)
  if (summary.errors.length === 0) say('No upload was lost, duplicated or restarted.')
  if (args.jsonFile !== undefined) await writeFile(args.jsonFile, `${JSON.stringify({ args, ...summary }, null, 2)}\n`)
  return summary.errors.length === 0 ? 0 : 1
})
