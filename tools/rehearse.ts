// `npm run rehearse -- --scenario NAME`: simulates the deadline day on this machine, or against a stage, and writes a report.
// Exit code 1 if the audit finds an error or a goal is missed.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkCa } from './lib/certificates.ts'
import { consentOf } from './lib/consent.ts'
import { readSettings } from './lib/settings.ts'
import { runTool } from './lib/usage.ts'
import { parseJoinArgs, parseRehearsalArgs, type RehearsalArgs, USAGE } from './rehearse/args.ts'
import { joinRehearsal } from './rehearse/generator/join.ts'
import { reportHtml } from './rehearse/report/html.ts'
import { writeOverview } from './rehearse/report/overview.ts'
import { resultLines } from './rehearse/report/words.ts'
import { type Given, rehearse } from './rehearse/run.ts'
import { opsUrls } from './surge/service-metrics.ts'

/** Longest wait for open requests after the run; then the report is written without them. */
const LINGER_MS = 10_000

const say = (line: string) => void process.stdout.write(`${line}\n`)

/** The service of `--url`, after it has consented. */
async function givenService(args: RehearsalArgs): Promise<Given | undefined> {
  if (args.url === undefined) return undefined
  checkCa(args.ca, process.env)
  const settings = readSettings(process.env, args.url)
  return {
    settings,
    stage: await consentOf(settings.base, process.env),
    ops: opsUrls(process.env, settings.base, args.opsUrl),
    secret: process.env['LOAD_TEST_SECRET'],
  }
}

await runTool(USAGE, async () => {
  const words = process.argv.slice(2)
  const joining = parseJoinArgs(words)
  if (joining !== undefined) {
    checkCa(joining.ca, process.env)
    await joinRehearsal(joining.address, process.env, say)
    return 0
  }
  const args = parseRehearsalArgs(words)
  const report = await rehearse(args, await givenService(args), say)
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
