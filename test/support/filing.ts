// A filing whose every personal field has a value that is found again wherever it is written: with uploads in all states,
// attempts, webhooks that wait, a seal and a return.

import { searchFollower } from '../../src/support/search.ts'
import type { Environment } from './environment.ts'
import { waitFor } from './http.ts'
import { pdfBytes } from './media/pdfs.ts'
import { testProfile } from './profiles.ts'
import { idOf, type TusUser, tusUser } from './tus.ts'

/** What went in, by the field that it went into. */
export const PERSONAL = {
  uniqueKey: '1103700990007/K2/2569',
  person: 'bupha-of-the-roll-3058',
  metadata: 'นางสาวบุปผา-ข้อมูล-7731',
  slotMetadata: 'คำตอบของบุปผา-1147',
  subject: 'somying.bupha-8842',
  sessionSubject: 'school-officer-6218',
  filename: 'ชื่อไฟล์-บุปผา-9953',
  fingerprint: 'fingerprint-bupha-3317',
  tusMetadata: 'note-of-bupha-5529',
  outcome: 'ผลของบุปผา-8105',
  reason: 'เหตุผลถึงบุปผา-6640',
  callbackUrl: 'hook-of-bupha-4481',
  content: 'content-of-bupha-2290',
} as const

/** A slot of each kind, with an answer of the person's own. */
export const FILING_PROFILE = testProfile((profile) => {
  profile.id = 'filing'
  // More than one part of a multipart upload.
  if (profile.mediaDefaults?.pdf !== undefined) profile.mediaDefaults.pdf.maxBytes = 30_000_000
  const [, plan, outcome] = profile.slots
  if (plan === undefined || outcome === undefined) throw new Error('the profile has changed')
  plan.min = 1
  plan.metadata = [{ name: 'answer', label: { th: 'คำตอบ', en: 'Answer' }, type: 'string', required: false }]
  profile.slots = [plan, { ...outcome, max: 9, maxPerKind: { video: 4, pdf: 9 } }]
})

const film = (pages: number) => pdfBytes({ pages, catalog: `/Note (${`${PERSONAL.content} `.repeat(40)})` })

export type Filing = Awaited<ReturnType<typeof fileEverything>>

/** @param stack with a worker that runs all lanes; it is stopped in the end */
export async function fileEverything(stack: Environment, id: string, receiverUrl: string) {
  const { call, deps } = stack
  const body = {
    profile: 'filing@1',
    uniqueKey: PERSONAL.uniqueKey,
    person: PERSONAL.person,
    metadata: { name: PERSONAL.metadata },
    callbackUrl: `${receiverUrl}/${PERSONAL.callbackUrl}`,
  }
  await stack.put(id, body)
  const said = { metadata: { answer: PERSONAL.slotMetadata } }
  const answered = await call('PATCH', `/v1/submissions/${id}/slots/plan`, { body: said })
  if (answered.status !== 200) throw new Error(answered.text)

  const personOf = async (slot: string): Promise<TusUser> =>
    tusUser(stack.url, await stack.ticket(id, slot, { subject: PERSONAL.subject }))
  const name = (n: number) => `${PERSONAL.filename}-${n}.pdf`
  const extra = `note ${Buffer.from(PERSONAL.tusMetadata).toString('base64')}`
  const creation = (n: number, length: number) => ({
    length,
    name: name(n),
    type: 'application/pdf',
    fingerprint: `${PERSONAL.fingerprint}-${n}`,
  })
  const whole = async (user: TusUser, n: number, bytes: Buffer): Promise<string> => {
    const url = await user.create({ ...creation(n, bytes.length), body: bytes })
    return idOf(url)
  }
  const stateOf = async (upload: string) => (await call('GET', `/v1/uploads/${upload}`)).body['state']
  const until = (upload: string, state: string) =>
    waitFor(async () => (await stateOf(upload)) === state, { what: `${upload} to be ${state}` })

  const plan = await personOf('plan')
  const first = await whole(plan, 1, film(2))
  await until(first, 'ready')
  const sealed = await call('POST', `/v1/submissions/${id}/seal`, { body: {} })
  if (sealed.status !== 200) throw new Error(sealed.text)
  const decision = { outcome: PERSONAL.outcome, keepUntil: new Date(Date.now() + 86_400_000).toISOString() }
  const closed = await call('POST', `/v1/submissions/${id}/close`, { body: decision })
  if (closed.status !== 200) throw new Error(closed.text)
  const returned = await call('POST', `/v1/submissions/${id}/return`, { body: { reason: PERSONAL.reason } })
  if (returned.status !== 200) throw new Error(returned.text)
  const replacement = await whole(await personOf('plan'), 2, film(3))
  await until(replacement, 'ready')

  const outcome = await personOf('outcome')
  const rejected = await whole(outcome, 3, Buffer.from(`%PDF-1.7\nno PDF at all ${PERSONAL.content}`))
  await until(rejected, 'rejected')
  const half = await outcome.create(creation(4, 20_000_000))
  await outcome.patch(half, 0, Buffer.alloc(9_000_000, PERSONAL.content))
  const unstored = await outcome.create(creation(5, 5000))
  const partial = async (n: number, bytes: Buffer) =>
    outcome.create({ ...creation(n, bytes.length), headers: { 'Upload-Concat': 'partial' }, body: bytes })
  const bytes = film(4)
  const halves = [await partial(6, bytes.subarray(0, 500)), await partial(7, bytes.subarray(500))]
  const joined = await outcome.post({
    length: null,
    headers: {
      'Upload-Concat': `final;${halves.map((url) => new URL(url).pathname).join(' ')}`,
      'Upload-Metadata': `filename ${Buffer.from(name(8)).toString('base64')},${extra}`,
    },
  })
  if (joined.status !== 201) throw new Error(joined.text)
  const final = idOf(String(joined.headers.location))
  await until(final, 'ready')
  const lonely = await partial(9, film(1))
  const cancelled = await outcome.create({ ...creation(10, 5000), body: Buffer.from(PERSONAL.content) })
  await outcome.remove(cancelled)
  const refused = await outcome.post({ ...creation(11, 999_999_999_999) })
  if (refused.status < 400) throw new Error('a file of a terabyte was taken')
  await deps.attempts.flush()
  await outcome.post({ ...creation(12, 999_999_999_999) })
  await stack.session(id, { subject: PERSONAL.sessionSubject })

  await searchFollower(deps, 'test').follow()
  const queue = deps.queues.byLane.notify
  await waitFor(async () => (await queue.getDelayedCount()) > 5, { what: 'webhooks to wait for another try' })
  await stack.stop()
  const receipt = await call('GET', `/v1/uploads/${first}/receipt`)
  const uploads = [
    first,
    replacement,
    rejected,
    idOf(half),
    idOf(unstored),
    ...halves.map(idOf),
    final,
    idOf(lonely),
    idOf(cancelled),
  ]
  return {
    /** In the order of the numbers in their names, from 1. */
    uploads,
    first,
    final,
    person: outcome,
    jws: String(receipt.body['receipt']),
  }
}
