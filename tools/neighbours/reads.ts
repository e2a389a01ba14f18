// One submission has as many uploads as the service accepts, and several clients read it expanded, repeatedly; another
// person reads another submission and creates uploads.

import type { Line } from '../neighbours.ts'
import type { NeighboursArgs } from './args.ts'
import { type Answer, p95, pause, type Stage } from './stage.ts'

const GOAL_MS = 100
const BETWEEN_MS = 100
/** Number of reads per sample, and number of reads per creation. */
const READS = 10
/** Slots for one file each: in a slot for several files every unfinished upload counts. */
const SLOTS = ['lesson_plan', 'teaching_video', 'inspiration_video']
const AT_ONCE = 10
const BUSY_MS = 2000

export async function measureReads(stage: Stage, { samples, uploads, readers }: NeighboursArgs): Promise<Line[]> {
  const crowded = await stage.submission('hostile')
  const { made, refused } = await fill(stage, crowded, uploads)
  process.stdout.write(
    `a submission of ${made} uploads${refused === '' ? '' : `; the next one was refused: ${refused}`}\n`,
  )
  const own = await stage.submission('honest')
  const token = await stage.session('honest', own, 'honest reader')
  const honest = async (count: number) => {
    const reads: Answer[] = []
    const creations: Answer[] = []
    for (let i = 0; i < count; i++) {
      reads.push(await stage.ask('GET', `/v1/submissions/${own}?expand=uploads`, token))
      if (i % READS === 0) creations.push(await begin(stage, i))
      await pause(BETWEEN_MS)
    }
    return { reads, creations }
  }
  const alone = await honest(5 * READS)
  let going = true
  let answered = 0
  const read = async (number: number) => {
    const session = await stage.session('hostile', crowded, `reader ${number}`)
    while (going) {
      const { status } = await stage.ask('GET', `/v1/submissions/${crowded}?expand=uploads`, session)
      if (status === 200) answered++
    }
  }
  const reading = Array.from({ length: readers }, (_, number) => read(number))
  const beside = await honest(samples * READS)
  going = false
  await Promise.all(reading)
  process.stdout.write(`${answered} hostile reads were answered\n`)
  const times = (answers: Answer[]) => p95(answers.map(({ milliseconds }) => milliseconds))
  const failed = [...beside.reads, ...beside.creations].filter(({ status }) => status >= 300)
  return [
    { what: 'GET p95', alone: times(alone.reads), beside: times(beside.reads), goal: GOAL_MS, unit: 'ms' },
    { what: 'refused reads and creations', beside: failed.length, goal: 0, unit: '' },
  ]
}

/** Creates uploads as many different people, until the service refuses: rate limits are per person. */
async function fill(stage: Stage, id: string, uploads: number): Promise<{ made: number; refused: string }> {
  let made = 0
  let refused = ''
  for (const slot of SLOTS) {
    refused = ''
    while (made < uploads && refused === '') {
      const answers = await createSome(stage, id, slot, made)
      made += answers.filter(({ status }) => status < 300).length
      const refusal = answers.find(({ status }) => status >= 300)
      // Temporarily busy; not the limit.
      if (refusal?.status === 503) await pause(BUSY_MS)
      else refused = String(refusal?.body['code'] ?? '')
    }
    if (made >= uploads) return { made, refused: '' }
  }
  return { made, refused }
}

/** Creates one person's uploads without sending a byte; returns the refusal if the ticket was refused. */
async function createSome(stage: Stage, id: string, slot: string, number: number): Promise<Answer[]> {
  const ticket = await stage.ticket('hostile', id, slot, `person ${number}`)
  if (ticket.status >= 300) return [ticket]
  const name = slot.endsWith('video') ? 'lesson.mp4' : 'plan.pdf'
  return await Promise.all(
    Array.from({ length: AT_ONCE }, () => stage.create(String(ticket.body['ticket']), 5000, name)),
  )
}

async function begin(stage: Stage, number: number): Promise<Answer> {
  const id = await stage.submission('honest')
  const ticket = await stage.ticket('honest', id, 'lesson_plan', `honest ${number}`)
  return ticket.status < 300 ? await stage.create(String(ticket.body['ticket']), 5000, 'plan.pdf') : ticket
}
