// `npm run deadline`: what happens when thousands of submissions end in the same second. Exit code 1 if one was sealed too early, twice
// or never, or if it took longer than a minute.

import { parseDeadlineArgs, USAGE } from './deadline/args.ts'
import { runDeadline } from './deadline/run.ts'
import { runTool } from './lib/usage.ts'

const LIMIT_MS = 60_000

await runTool(USAGE, async () => {
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const result = await runDeadline(parseDeadlineArgs(process.argv.slice(2)), say)
  const { errors, allAfterMs, before, meanwhile, webhooks } = result
  say(`all sealed ${(allAfterMs / 1000).toFixed(1)} s after the deadline`)
  say(`PATCH before:    ${before}`)
  say(`PATCH meanwhile: ${meanwhile}`)
  for (const line of webhooks) say(`webhooks: ${line}`)
  for (const error of errors) say(`✗ ${error}`)
  if (errors.length === 0) say('each sealed once, none too early, none missed')
  return errors.length === 0 && allAfterMs <= LIMIT_MS ? 0 : 1
})
