// One person keeps many hostile PDFs in the queue; other people hand in a plan of one page, one after the other.

import { readFile } from 'node:fs/promises'
import { createCorpus } from '../../test/support/media/corpus.ts'
import { inflating } from '../../test/support/media/pdf-kinds.ts'
import { pdfBytes } from '../../test/support/media/pdfs.ts'
import type { Line } from '../neighbours.ts'
import type { NeighboursArgs } from './args.ts'
import { p95, pause, type Stage } from './stage.ts'

const GOAL_MS = 2000
/** A page's contents: a stream of the given mebibytes, repeated. */
const UNPACKED = { mebibytes: 64, times: 64 }
const BETWEEN_MS = 500

export async function measureVerdicts(stage: Stage, { samples, files }: NeighboursArgs): Promise<Line[]> {
  const corpus = await createCorpus(stage.dir)
  const hostile = new Uint8Array(await readFile(await inflating(corpus, UNPACKED.mebibytes, UNPACKED.times)))
  const plan = new Uint8Array(pdfBytes())
  const honest = async (count: number, name: string) => {
    const waits: number[] = []
    for (let i = 0; i < count; i++) {
      waits.push(await stage.verdict('honest', await stage.send('honest', `${name} ${i}`, plan)))
      await pause(BETWEEN_MS)
    }
    return p95(waits)
  }
  const alone = await honest(Math.min(10, samples), 'alone')
  let going = true
  const attack = async () => {
    while (going) await stage.verdict('hostile', await stage.send('hostile', 'one person', hostile))
  }
  const attacks = Array.from({ length: files }, attack)
  await pause(2000)
  const beside = await honest(samples, 'beside')
  going = false
  // Jobs that still run end with the stage.
  await Promise.race([Promise.allSettled(attacks), pause(0)])
  for (const one of attacks) one.catch(() => undefined)
  return [{ what: 'verdict p95', alone, beside, goal: GOAL_MS, unit: 'ms' }]
}
