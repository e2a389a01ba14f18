// Waits until every file is final: an event triggers a read of the documents, which have the state.

import type { UploadDocument } from '../../src/submissions/document/schemas.ts'
import { timeInWords } from '../lib/words.ts'
import { eventOf, type Trial } from './trial.ts'

/** Final states. `failed` is not final, because the service retries. */
const FINAL = ['ready', 'rejected', 'expired', 'cancelled']
/** Longest wait for a webhook after its event. */
const WEBHOOK_WAIT_MS = 10_000

/** Shows events as they arrive; resolves with the last documents, all final or out of time. */
export async function waitUntilFinal(
  trial: Trial,
  ids: readonly string[],
  timeoutMs: number,
): Promise<UploadDocument[]> {
  const { portal, page, bell, heard } = trial
  const slots = new Map<string, string>()
  let documents: UploadDocument[] = []
  let shown = 0
  const showNew = () => {
    for (; shown < heard.length; shown += 1) {
      const event = heard[shown]
      if (event === undefined || event.type === 'snapshot') continue
      if (event.type === 'progress') {
        page.passing(progressInWords(event.data, slots))
        continue
      }
      const { type, uploadId } = eventOf(event)
      page.note(`${timeInWords(event.atMs).padStart(8)}  ${type.padEnd(21)} ${slots.get(uploadId ?? '') ?? ''}`)
    }
  }
  const look = async () => {
    documents = await Promise.all(ids.map((id) => portal.upload(id)))
    for (const { id, slot } of documents) slots.set(id, slot ?? '')
    showNew()
    return documents.every(({ state }) => FINAL.includes(state))
  }
  await bell.until(look, timeoutMs)
  const allEnded = () => ids.every((id) => hasEnded(trial, id))
  // The event can arrive shortly after the document shows the same state.
  await bell.until(allEnded, 2000)
  showNew()
  for (const { slot, state, problems } of documents) {
    const rejected = problems.filter(({ severity }) => severity === 'reject').map(({ code }) => code)
    page.check(
      state === 'ready',
      `${slot} is ready`,
      `${slot} is ${state}${rejected.length > 0 ? ` (${rejected.join(', ')})` : ''}`,
    )
  }
  page.check(
    allEnded(),
    'the event stream had the final event of each file',
    'a final event is missing in the event stream',
  )
  return documents
}

function hasEnded({ heard }: Trial, id: string): boolean {
  return heard.map(eventOf).some((event) => event.uploadId === id && isEnd(event.type))
}

function isEnd(type: string): boolean {
  return FINAL.some((state) => type === `upload.${state}`)
}

function progressInWords(data: unknown, slots: ReadonlyMap<string, string>): string {
  const { uploadId, progress } = data as {
    uploadId: string
    progress: { step?: string; percent?: number | null } | null
  }
  const percent = typeof progress?.percent === 'number' ? ` ${Math.round(progress.percent)} %` : ''
  return `${slots.get(uploadId) ?? ''} ${progress?.step ?? ''}${percent}`
}

/** Waits for the webhook of each file's final event, and reports what arrived. */
export async function checkWebhooks(trial: Trial, ids: readonly string[]): Promise<void> {
  const { webhooks, page, bell } = trial
  if (webhooks === undefined) {
    page.fail('not tested, see above')
    return
  }
  const ended = (id: string) => webhooks.events.some(({ type, data }) => data.uploadId === id && isEnd(type))
  const all = await bell.until(() => ids.every(ended), WEBHOOK_WAIT_MS)
  const { events, refused, repeats } = webhooks
  page.check(
    refused.length === 0 && events.length > 0,
    `${events.length} events received, every signature verified${repeats > 0 ? `, ${repeats} repeated` : ''}`,
    `${events.length} events verified, ${refused.length} refused: ${refused[0] ?? 'none arrived'}`,
  )
  page.check(all, 'the final event of each file is among them', 'the final event of a file is missing')
  const order = [...events].sort((a, b) => a.data.sequence - b.data.sequence)
  page.note(order.map(({ type }) => type).join(', '))
}
