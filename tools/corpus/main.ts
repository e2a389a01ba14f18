// Entry: arguments → workshop, alarms → row after row → totals, documentation → exit code.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { loadProfiles, shippedProfilesDir } from '../../src/submissions/profiles/loader.ts'
import { type Corpus, createCorpus } from '../../test/support/media/corpus.ts'
import { setAlarms } from './alarms.ts'
import { type CommandLine, parseCommandLine, UsageError, usage } from './args.ts'
import { docsPage } from './docs.ts'
import type { Result, Row } from './model.ts'
import { allRows } from './rows/index.ts'
import { runRow } from './run.ts'
import { expectedWords, gotWords, placeWords, secondsWords } from './words.ts'
import { openWorkshop } from './workshop.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)
const complain = (line: string) => process.stderr.write(`${line}\n`)

async function run(command: CommandLine, rows: readonly Row[]): Promise<number> {
  const workshop = await openWorkshop()
  const corpus = await folder(command.keepDir)
  const alarms = await setAlarms(corpus.dir)
  const results: Result[] = []
  print(`${rows.length} files · isolation: ${workshop.isolation} · ${toolNames()}`)
  if (!alarms.detectsReads)
    print(
      'This file system does not record access times (noatime): reads of the secret file are found only by its contents.',
    )
  try {
    for (const row of rows) {
      const result = await runRow({ corpus, workshop, alarms }, row)
      results.push(result)
      show(result, results.length, rows.length)
    }
  } finally {
    await alarms.close()
    await workshop.close()
    if (command.keepDir === undefined) await corpus.remove()
  }
  return conclude(command, results, workshop.isolation)
}

async function folder(keepDir: string | undefined): Promise<Corpus> {
  if (keepDir === undefined) return await createCorpus()
  mkdirSync(keepDir, { recursive: true })
  return await createCorpus(resolve(keepDir))
}

function show({ row, cost, got, errors }: Result, nth: number, of: number): void {
  const head = `${errors.length === 0 ? 'ok  ' : 'FAIL'} ${String(nth).padStart(3)}/${of} ${row.group.padEnd(10)} ${row.name.padEnd(34)}`
  const costs = `${secondsWords(cost.seconds).padStart(4)} s ${String(Math.round(cost.toolMebibytes)).padStart(4)} MiB ${cost.tool ?? ''}`
  print(`${head} ${costs.padEnd(22)} ${expectedWords(row.expect)}`)
  if (errors.length > 0) print(`         got ${gotWords({ got, errors })}`)
}

function conclude({ docsFile, jsonFile }: CommandLine, results: readonly Result[], isolation: string): number {
  const failed = results.filter(({ errors }) => errors.length > 0)
  const seconds = results.reduce((sum, { cost }) => sum + cost.seconds, 0)
  const most = Math.max(0, ...results.map(({ cost }) => cost.toolMebibytes))
  print(
    `\n${results.length - failed.length} of ${results.length} rows as expected · ${Math.round(seconds)} s in the lanes · at most ${Math.round(most)} MiB in a tool`,
  )
  if (failed.length > 0) print(`Not as expected: ${failed.map(({ row }) => row.name).join(', ')}`)
  const machine = { cores: availableParallelism(), tools: toolNames(), isolation }
  if (docsFile !== undefined) writeFileSync(docsFile, docsPage(results, machine))
  if (jsonFile !== undefined)
    writeFileSync(jsonFile, `${JSON.stringify({ machine, results: results.map(plain) }, null, 1)}\n`)
  return failed.length === 0 ? 0 : 1
}

/** Without the functions of the row. */
function plain({ row, got, cost, errors }: Result) {
  const { name, group, about, place, expect } = row
  return { name, group, about, place, expect, got, cost, errors }
}

function toolNames(): string {
  const first = (tool: string, args: string[]): string =>
    execFileSync(tool, args, { encoding: 'utf8' })
      .split('\n')[0]
      ?.replace(/ Copyright.*/, '') ?? tool
  return [first('ffmpeg', ['-version']), first('qpdf', ['--version'])].join(', ')
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    const command = parseCommandLine(argv)
    const all = allRows(loadProfiles([shippedProfilesDir()]))
    if (command === 'help') print(usage)
    else if (command === 'list')
      for (const row of all) print(`${row.name} · ${row.about} · ${placeWords(row)} · ${expectedWords(row.expect)}`)
    else {
      const { group, only = '' } = command
      const rows = all.filter((row) => (group ?? row.group) === row.group && row.name.includes(only))
      if (rows.length === 0) throw new UsageError('no row was selected')
      return await run(command, rows)
    }
    return 0
  } catch (error) {
    if (error instanceof UsageError) complain(`${error.message}\n\n${usage}`)
    else complain(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 2
  }
}

process.exitCode = await main(process.argv.slice(2))
