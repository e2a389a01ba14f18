// `npx tsx tools/scale.ts LEVEL …`: what the service costs with so many finished uploads on record (docs/fleet.md).

import { openEnvironment } from '../test/support/environment.ts'
import { numberOption, runTool } from './lib/usage.ts'
import { AnsweringStore } from './scale/answering-store.ts'
import {
  afterwards,
  checkpointing,
  type Figures,
  memory,
  rebuilding,
  reconciling,
  requests,
  usedBytes,
} from './scale/measure.ts'
import { seed } from './scale/seed.ts'

const USAGE = `npx tsx tools/scale.ts LEVEL …     LEVEL: finished uploads on record, [10000 100000]

Times of requests and of housekeeping, and what Redis keeps, with a store in memory that answers at once.
Starts its own Redis, and ends it. 100,000 uploads take some minutes and 2 GiB; a million need an hour and NODE_OPTIONS=--max-old-space-size=14000.`

const DEFAULT_LEVELS = ['10000', '100000']
const say = (text: string) => process.stdout.write(`${text}\n`)

async function* measure(uploads: number): AsyncGenerator<Figures> {
  const objectStore = new AnsweringStore()
  const stack = await openEnvironment({ objectStore, appendOnly: true })
  try {
    await stack.deps.rebuilder.heal()
    const emptyBytes = await usedBytes(stack)
    const seeded = await seed(stack, objectStore, uploads)
    yield await requests(stack, seeded)
    yield await reconciling(stack)
    yield await memory(stack, uploads, emptyBytes)
    yield await afterwards(stack, seeded)
    yield await checkpointing(stack, objectStore)
    yield await rebuilding(stack, objectStore, 'Redis back with its data')
    yield await rebuilding(stack, objectStore, 'Redis empty')
    yield await rebuilding(stack, objectStore, 'Redis empty, no checkpoint')
  } finally {
    await stack.close()
  }
}

await runTool(USAGE, async () => {
  const given = process.argv.slice(2)
  const levels = (given.length === 0 ? DEFAULT_LEVELS : given).map((level) =>
    numberOption('level', level, { fallback: 0, min: 100, max: 10_000_000, whole: true }),
  )
  for (const level of levels) {
    say(`\n${level.toLocaleString('en')} uploads`)
    for await (const figures of measure(level))
      for (const [name, value] of Object.entries(figures)) say(`| ${name} | ${value} |`)
  }
  return 0
})
// A stage that could not be opened has connections that would keep the process.
process.exit()
