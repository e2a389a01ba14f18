// Entry: arguments → probe → sections → reports → exit code.
import { writeFileSync } from 'node:fs'
import { checkCa } from '../lib/certificates.ts'
import { consentOf } from '../lib/consent.ts'
import { UsageError as ToolUsageError } from '../lib/usage.ts'
import { type CommandLine, parseCommandLine, UsageError, usage } from './args.ts'
import { createPayload } from './payload.ts'
import { probe } from './probe.ts'
import { createTextReporter, exitCode, jsonReport, renderHead, renderTotals } from './report.ts'
import { runSections } from './runner.ts'
import { draft } from './sections/draft.ts'
import { sections as ofTus, renderSentences } from './sections/index.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)
const complain = (line: string) => process.stderr.write(`${line}\n`)

async function run(command: CommandLine): Promise<number> {
  const startedAt = new Date()
  checkCa(command.ca, process.env)
  const stage = command.otherServer ? undefined : await consentOf(command.harness.url, process.env)
  const left: string[] = []
  const payload = createPayload(command)
  const { facts, answer } = await probe(command.harness, payload, command.assume)
  if (!answer.response) {
    complain(`No tus server answers at ${command.harness.url.href}: ${answer.got}`)
    return 2
  }
  print(renderHead(command.harness.url, facts, payload.description))
  const sections = facts.draft ? [...ofTus, draft] : ofTus
  const results = await runSections(sections, {
    options: command.harness,
    facts,
    payload,
    checkLimitMs: Math.max(60_000, 3 * command.harness.takeoverMs) + command.harness.expiryWaitMs,
    onResult: createTextReporter(print),
    onLeft: (urls) => void left.push(...urls),
    ...(command.only === undefined ? {} : { only: command.only }),
  })
  print(renderTotals(results))
  if (stage !== undefined) for (const url of left) print(`not removed: ${url}`)
  if (command.jsonFile !== undefined) {
    const report = jsonReport({ url: command.harness.url, facts, startedAt, sections, results })
    writeFileSync(command.jsonFile, `${JSON.stringify(report, null, 2)}\n`)
  }
  if (results.length === 0) {
    complain('No check was selected.')
    return 2
  }
  return exitCode(results)
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = parseCommandLine(argv)
    if (command === 'help') print(usage)
    else if (command === 'list') print(renderSentences([...ofTus, draft]))
    else return await run(command)
    return 0
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}\n\n${usage}`)
    else if (error instanceof ToolUsageError) complain(error.message)
    else complain(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2))
