// Entry: arguments → films → every group on every store → table, documentation → exit code.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runTool, UsageError } from '../lib/usage.ts'
import { docsPage } from './docs.ts'
import { groupsOf, kindsHere } from './groups.ts'
import type { Result } from './model.ts'
import { lineOf, runGroup } from './run.ts'
import { makeFilms } from './stage/films.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)

const USAGE = `npm run chaos -- [--only WORD] [--store local|s3] [--docs FILE]
  --only WORD   rows whose group or name contains the word
  --json FILE   writes the results as JSON; --add FILE includes the results of an earlier partial run
  --docs FILE   writes the table; default docs/chaos.md for a complete run, none for a partial one`

type SavedRun = { seconds: number; results: Result[] }

function readOptions() {
  const text = { type: 'string' } as const
  try {
    return parseArgs({ options: { only: text, store: text, docs: text, json: text, add: text } }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}

await runTool(USAGE, async () => {
  const values = readOptions()
  const isComplete = values.only === undefined && values.store === undefined
  const startedMs = performance.now()
  const films = await makeFilms()
  const results: Result[] = []
  for (const kind of kindsHere().filter((one) => values.store === undefined || values.store === one))
    for await (const group of groupsOf(kind, films, values.only)) results.push(...(await runGroup(kind, group, print)))
  const earlier = values.add === undefined ? undefined : (JSON.parse(readFileSync(values.add, 'utf8')) as SavedRun)
  const seconds = (performance.now() - startedMs) / 1000 + (earlier?.seconds ?? 0)
  results.unshift(...(earlier?.results ?? []))
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ seconds, results } satisfies SavedRun))
  const bad = results.filter(({ hits, errors }) => hits === 0 || errors.length > 0)
  for (const result of bad) print(lineOf(result))
  const docs = values.docs ?? (isComplete ? 'docs/chaos.md' : undefined)
  if (docs !== undefined) writeFileSync(docs, docsPage(results, seconds))
  print(`${results.length} rows in ${seconds.toFixed(0)} s, ${bad.length} failed`)
  return bad.length === 0 && results.length > 0 ? 0 : 1
})
