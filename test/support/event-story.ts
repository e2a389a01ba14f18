// Every event once, as the service publishes it: what happens to a few submissions is made here, the events are the service's own.
// Their bodies are the examples of docs/events.md and of the webhooks in the OpenAPI document.

import { createHash } from 'node:crypto'
import { isoTime } from '../../src/core/clock.ts'
import { renditionChanged } from '../../src/lifecycle/transitions.ts'
import type { EventBody } from '../../src/records/event-body.ts'
import { problemOf } from '../../src/submissions/rules/texts.ts'
import { applyRetention } from '../../workers/lanes/retention.ts'
import { publishVerdict } from '../../workers/lanes/verdict.ts'
import { START } from './clock.ts'
import type { StillEnvironment } from './environment.ts'
import { begun } from './records.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NAMES = ['2569-00123', '2569-00124', '2569-00125', '2569-00126'] as const

/** By type, in the order of `types`. Throws if one of them did not happen. */
export async function eventExamples(h: StillEnvironment, types: readonly string[]): Promise<Record<string, EventBody>> {
  await handedIn(h, NAMES[0])
  await troubled(h, NAMES[1])
  await forgotten(h, NAMES[2])
  await closed(h, NAMES[3])
  const told = (await Promise.all(NAMES.map((name) => h.eventsOf(name)))).flat()
  const steady = steadied(told)
  const examples = types.map((type) => {
    const body = steady.find((event) => event.type === type)
    if (body === undefined) throw new Error(`the story has no ${type}`)
    return [type, body] as const
  })
  return Object.fromEntries(examples)
}

/** A file is accepted, replaced, and taken away; another one is handed in and returned. */
async function handedIn(h: StillEnvironment, id: string): Promise<void> {
  await h.put(id)
  const first = await h.acceptedUpload(id, 'plan')
  const { id: second } = await h.acceptedUpload(id, 'plan', { replaces: first.id })
  await publishVerdict(h.deps, await h.latest(second))
  const { id: made } = await h.putUpload(id, { slot: 'extras' })
  await h.reach(made, 'accepted', {
    renditions: [{ name: 'page', kind: 'page', required: false, state: 'waiting' }],
  })
  await h.commit(made, (current, sequence) =>
    renditionChanged(begun(current, 'transcode', h.clock.ms), 'page', { state: 'ready' }, sequence),
  )
  await h.reach(made, 'ready')
  await call(h, 'POST', `${id}/seal`)
  await call(h, 'POST', `${id}/return`, { reason: 'หน้า 3 อ่านไม่ออก' })
}

/** What ends without a verdict, with a bad one, or because of a fault of the service; and a file that is taken away again. */
async function troubled(h: StillEnvironment, id: string): Promise<void> {
  await h.put(id)
  const limits = { limit: 20, actual: 24, name: { th: 'แผน', en: 'Plan' } }
  const { id: tooLong } = await h.putUpload(id)
  await h.reach(tooLong, 'rejected', { problems: [problemOf('PDF_TOO_MANY_PAGES', 'reject', limits)] })
  for (const state of ['failed', 'expired'] as const) await h.reach((await h.putUpload(id)).id, state)
  const plan = await h.acceptedUpload(id, 'plan')
  const { status } = await h.call('DELETE', `/v1/uploads/${plan.id}`)
  if (status !== 204) throw new Error(`DELETE of an upload: ${status}`)
}

/** Nobody hands it in. */
async function forgotten(h: StillEnvironment, id: string): Promise<void> {
  await h.put(id, { deadline: isoTime(h.clock.ms + 2 * HOUR_MS) })
  for (let hour = 0; hour < 3; hour++) {
    h.clock.ms += HOUR_MS + 60_000
    await h.deps.deadlineWork.run()
  }
}

/** Closed after the decision, by mistake, and again; then its date comes. */
async function closed(h: StillEnvironment, id: string): Promise<void> {
  await h.put(id)
  const plan = await h.acceptedUpload(id, 'plan')
  await h.reach(plan.id, 'ready', { sha256: 'a'.repeat(64) })
  await call(h, 'POST', `${id}/seal`)
  const until = () => ({ keepUntil: isoTime(h.clock.ms + DAY_MS) })
  await call(h, 'POST', `${id}/close`, until())
  await call(h, 'DELETE', `${id}/close`)
  await call(h, 'POST', `${id}/close`, until())
  h.clock.ms += 2 * DAY_MS
  await applyRetention(h.deps)
}

async function call(h: StillEnvironment, method: string, path: string, body?: object): Promise<void> {
  const { status, text } = await h.call(method, `/v1/submissions/${path}`, { body })
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`)
}

function standIn(seed: string, length: number): string {
  return createHash('sha256').update(seed).digest('base64url').replace(/[-_]/g, 'x').slice(0, length)
}

/** As if the story began on 2026-09-30 at 9:00, whenever it is told. */
const FROM_START_MS = Date.UTC(2026, 8, 30, 9) - START

/** The same at every run: times count from one moment, and ids of uploads go by their order. */
function steadied(events: EventBody[]): EventBody[] {
  const ids = new Map<string, string>()
  for (const { data } of events)
    if (data.uploadId !== undefined && !ids.has(data.uploadId))
      ids.set(data.uploadId, standIn(`upload ${ids.size}`, data.uploadId.length))
  // Of no record: its id is random.
  for (const { id, type } of events)
    if (/complete$/.test(type)) ids.set(id.slice(4), standIn(`event ${ids.size}`, id.length - 4))
  let text = JSON.stringify(events)
  for (const [id, name] of ids) text = text.replaceAll(id, name)
  const moved = text
    .replace(/"(\d{4}-\d\d-\d\dT[\d:.]+Z)"/g, (_, time: string) => `"${isoTime(Date.parse(time) + FROM_START_MS)}"`)
    .replace(/_(\d{13})_/g, (_, ms: string) => `_${Number(ms) + FROM_START_MS}_`)
  return JSON.parse(moved) as EventBody[]
}
