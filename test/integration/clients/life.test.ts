// The client against a real service and its worker: a submission from its creation to its end, and the webhooks of it.

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  etagOf,
  Songngan,
  SongnganError,
  type SongnganEvent,
  verifyWebhook,
} from '../../../clients/client/src/client.ts'
import { LANES } from '../../../src/jobs/contract.ts'
import { type Environment, OTHER_KEY, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { onePage } from '../../support/media/pdf-build.ts'
import { type Delivery, type Receiver, startReceiver } from '../../support/receiver.ts'
import { sendFile } from '../../support/tus-js.ts'

const ID = '2569-00123'
const DAY_MS = 86_400_000
const secret = () => `whsec_${randomBytes(24).toString('base64')}`
const [NEW, OLD] = [secret(), secret()]

let stack: Environment
let receiver: Receiver
let portal: Songngan
const told: SongnganEvent[] = []
const stop = new AbortController()

beforeAll(async () => {
  receiver = await startReceiver()
  stack = await openEnvironment({
    lanes: LANES.join(),
    env: { WEBHOOK_SECRET: `${NEW},${OLD}`, WEBHOOK_ALLOW_PRIVATE: 'true' },
  })
  await stack.start()
  portal = new Songngan({ url: stack.url, token: PORTAL_KEY })
})
afterAll(async () => {
  stop.abort()
  await stack.close()
  await receiver.close()
})

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString()
const body = () => ({
  profile: 'intake@1',
  deadline: inDays(7),
  graceSeconds: 3600,
  callbackUrl: `${receiver.url}/hook`,
  metadata: { name: 'ครูสมศรี' },
})
const refusal = async (work: Promise<unknown>): Promise<SongnganError> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof SongnganError)) throw new Error('not refused, or with another error', { cause: error })
  return error
}

const delivered = async (): Promise<Delivery> => {
  await waitFor(() => receiver.deliveries.length > 0, { what: 'a delivery of the worker' })
  return receiver.deliveries[0] as Delivery
}

describe('a submission', () => {
  it('is created, found again, and changed only by who has seen its state', async () => {
    const created = await portal.submissions.put(ID, body(), { onlyCreate: true })
    expect(created).toMatchObject({ id: ID, state: 'open', complete: false, missing: ['plan'] })
    expect((await refusal(portal.submissions.put(ID, body(), { onlyCreate: true }))).code).toBe('PRECONDITION_FAILED')
    const seen = await portal.submissions.get(ID)
    await portal.submissions.put(ID, { ...body(), graceSeconds: 60 })
    const late = portal.submissions.put(ID, body(), { ifMatch: etagOf(seen) })
    expect(await refusal(late)).toMatchObject({ status: 412, code: 'PRECONDITION_FAILED' })
    const now = await portal.submissions.get(ID)
    expect(await portal.submissions.put(ID, body(), { ifMatch: etagOf(now) })).toMatchObject({ graceSeconds: 3600 })
    const found: string[] = []
    for await (const { id } of portal.submissions.all({ state: 'open' })) found.push(id)
    expect(found).toEqual([ID])
  })

  it('is told of from the beginning', async () => {
    const news = portal.events(ID, { signal: stop.signal })
    const first = await news.next()
    expect(first.value).toMatchObject({ type: 'snapshot', document: { id: ID, state: 'open' } })
    void (async () => {
      for await (const one of news) if (one.type !== 'snapshot' && one.type !== 'progress') told.push(one)
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error
    })
  })

  it('takes a file with a ticket, and tells its verdict', async () => {
    const { ticket, tusEndpoint, limits } = await portal.tickets.create(ID, { slot: 'plan', subject: 'somsri' })
    expect(limits).toMatchObject({ kinds: ['pdf'], filesLeft: 1 })
    expect(tusEndpoint).toBe(`${stack.url}/files`)
    await sendFile(stack.url, ticket, onePage(), { metadata: { filename: 'แผน.pdf', filetype: 'application/pdf' } })
      .done
    await waitFor(() => told.some(({ type }) => type === 'submission.complete'), { what: 'submission.complete' })
    const { uploads = [] } = await portal.submissions.get(ID, { expand: 'uploads' })
    const [upload] = uploads
    expect(upload).toMatchObject({ slot: 'plan', accepted: true, declared: { filename: 'แผน.pdf' } })
    const id = upload?.id ?? ''
    await waitFor(async () => (await portal.uploads.get(id)).state === 'ready', { what: 'its rendition' })
    expect((await portal.uploads.list(ID, { slot: 'plan' })).items.map((one) => one.id)).toEqual([id])
    const { items } = await portal.uploads.links(id, { names: ['original'] })
    const original = await fetch(items[0]?.url ?? '')
    expect(Buffer.from(await original.arrayBuffer()).equals(onePage())).toBe(true)
    const receipt = await portal.receipts.ofUpload(id)
    expect(await portal.receipts.verify(receipt)).toMatchObject({ valid: true, kind: 'final' })
  })

  it('is handed in, returned, handed in again and closed, each with its receipt', async () => {
    expect(await portal.submissions.seal(ID)).toMatchObject({ state: 'sealed', revision: 1 })
    expect(await portal.submissions.seal(ID)).toMatchObject({ state: 'sealed', revision: 1 })
    await portal.submissions.return(ID, { reason: 'หน้า 3 อ่านไม่ออก', repairUntil: inDays(3) })
    expect(await refusal(portal.submissions.return(ID, { reason: 'again' }))).toMatchObject({
      code: 'SUBMISSION_NOT_SEALED',
      status: 409,
    })
    expect(await portal.submissions.seal(ID, { whenComplete: true })).toMatchObject({ state: 'sealed', revision: 2 })
    const first = await portal.receipts.ofSubmission(ID, { revision: 1 })
    const visitor = new Songngan({ url: stack.url })
    expect(await visitor.receipts.verify({ receipt: first.receipt })).toMatchObject({
      kind: 'submission',
      claims: { revision: 1 },
      current: { state: 'sealed', revision: 2 },
    })
    const changed = { receipt: `${first.receipt.slice(0, -6)}AAAAAA` }
    expect((await refusal(visitor.receipts.verify(changed))).code).toBe('RECEIPT_INVALID')
    expect((await visitor.receipts.keys()).keys.length).toBeGreaterThan(0)
    const printed = await fetch((await portal.receipts.printLink(ID)).url)
    expect(await printed.text()).toContain('ครูสมศรี')
    const closed = await portal.submissions.close(ID, { keepUntil: inDays(400), outcome: 'passed' })
    expect(closed.revisions.at(-1)).toMatchObject({ closed: { outcome: 'passed' } })
    expect((await portal.submissions.reopen(ID)).revisions.at(-1)).not.toHaveProperty('closed')
    const attempts: string[] = []
    for await (const { outcome } of portal.attempts.all(ID, { limit: 1 })) attempts.push(outcome)
    expect(attempts).toEqual(['accepted'])
    expect(await portal.submissions.review(ID)).toEqual({ problems: [] })
  })

  it('had all its events told in order, on the stream as in the log', async () => {
    await waitFor(() => told.some(({ type }) => type === 'submission.reopened'), { what: 'submission.reopened' })
    const types = told.map(({ type }) => type)
    expect(types.filter((type) => type.startsWith('submission.'))).toEqual([
      'submission.complete',
      'submission.sealed',
      'submission.returned',
      'submission.sealed',
      'submission.closed',
      'submission.reopened',
    ])
    const ids: string[] = []
    let after: string | undefined
    for (;;) {
      const page = await portal.eventLog({ limit: 2, ...(after === undefined ? {} : { after }) })
      ids.push(...page.items.map(({ id }) => id))
      if (page.items.length === 0) break
      after = page.nextCursor
    }
    expect(ids).toEqual(told.map(({ id }) => id))
  })

  it('is used by a browser with a session, as far as the session reaches', async () => {
    const { id, token } = await portal.sessions.create(ID, { can: ['read'], subject: 'somsri' })
    const page = new Songngan({ url: `${stack.url}/`, token: async () => token })
    expect(await page.submissions.get(ID)).toMatchObject({ id: ID })
    expect(await refusal(page.submissions.seal(ID))).toMatchObject({ status: 403, code: 'SESSION_SCOPE' })
    await portal.sessions.revoke(ID, id)
    const revoked = await refusal(page.submissions.get(ID))
    expect(revoked).toMatchObject({ status: 401, code: 'SESSION_REVOKED' })
    expect((await refusal(page.events(ID).next())).code).toBe('SESSION_REVOKED')
  })

  it('is deleted, and its id stays used', async () => {
    // What is told of a submission that is deleted meanwhile is not delivered any more.
    await delivered()
    await portal.submissions.delete(ID)
    await portal.submissions.delete(ID)
    expect(await refusal(portal.submissions.get(ID))).toMatchObject({ status: 410, code: 'SUBMISSION_DELETED' })
    expect((await refusal(portal.events(ID).next())).code).toBe('SUBMISSION_DELETED')
  })
})

describe('what belongs to no submission', () => {
  it('is asked for in the same way', async () => {
    expect(await new Songngan({ url: stack.url }).status()).toMatchObject({ status: 'open', outages: [] })
    const { items } = await portal.profiles()
    expect(items.map(({ key }) => key)).toContain('intake@1')
    expect((await portal.profile('intake')).slots.map((slot) => slot.id)).toEqual(['plan', 'film', 'extras'])
  })
})

describe('a refusal', () => {
  it('has the code, the status, the texts for people, and the details of the problem document', async () => {
    const error = await refusal(portal.submissions.put('s-1', { profile: 'nobody' }))
    expect(error).toMatchObject({ name: 'SongnganError', code: 'PROFILE_UNKNOWN', problem: { profile: 'nobody' } })
    expect(error.status).toBe(error.problem?.status)
    expect(error.texts).toEqual(error.problem?.message)
    expect(error.message).toBe(`PROFILE_UNKNOWN: ${error.texts.en}`)
    expect(error.isPassing).toBe(false)
    const stranger = new Songngan({ url: stack.url, token: OTHER_KEY })
    expect((await refusal(stranger.submissions.get(ID))).code).toBe('SUBMISSION_UNKNOWN')
  })

  it('of an id that would lead elsewhere comes before the call', async () => {
    for (const id of ['', '.', '..']) await expect(portal.submissions.delete(id)).rejects.toThrow(TypeError)
    expect((await refusal(portal.submissions.get('a/b?c#d'))).code).toBe('ID_INVALID')
  })
})

describe('a webhook', () => {
  const codeOf = async (work: Promise<unknown>) => (await refusal(work)).code

  it('is verified with either of the secrets that the service signs with', async () => {
    const { body: raw, headers } = await delivered()
    const event = await verifyWebhook(raw, headers, NEW)
    expect(event).toEqual(JSON.parse(raw))
    expect(event.data.submissionId).toBe(ID)
    expect(await verifyWebhook(Buffer.from(raw), headers, OLD)).toEqual(event)
    // The portal may keep both, in any form, while they are being changed.
    for (const both of [[secret(), OLD], `${secret()},${NEW}`])
      expect(
        await verifyWebhook(new TextEncoder().encode(raw), new Headers(headers as Record<string, string>), both),
      ).toEqual(event)
  })

  it('is refused if a byte, a header or the secret is another', async () => {
    const { body: raw, headers } = await delivered()
    const invalid = 'WEBHOOK_SIGNATURE_INVALID'
    expect(await codeOf(verifyWebhook(`${raw} `, headers, NEW))).toBe(invalid)
    expect(await codeOf(verifyWebhook(raw.replace('"revision":1', '"revision":2'), headers, NEW))).toBe(invalid)
    expect(await codeOf(verifyWebhook(raw, headers, secret()))).toBe(invalid)
    expect(await codeOf(verifyWebhook(raw, { ...headers, 'webhook-id': 'evt_other' }, NEW))).toBe(invalid)
    const later = String(Number(headers['webhook-timestamp']) + 1)
    expect(await codeOf(verifyWebhook(raw, { ...headers, 'webhook-timestamp': later }, NEW))).toBe(invalid)
    const signature = String(headers['webhook-signature']).replace('v1,', 'v2,').split(' ')[0]
    const other = { ...headers, 'webhook-signature': `${signature} v1,AAAA v1,%` }
    expect(await codeOf(verifyWebhook(raw, other, NEW))).toBe(invalid)
  })

  it('is refused if it is too old, or from a clock far ahead', async () => {
    const { body: raw, headers } = await delivered()
    const sentMs = Number(headers['webhook-timestamp']) * 1000
    const at = (seconds: number) => ({ now: new Date(sentMs + seconds * 1000) })
    for (const seconds of [-299, 299]) await verifyWebhook(raw, headers, NEW, at(seconds))
    for (const seconds of [-301, 301])
      expect(await codeOf(verifyWebhook(raw, headers, NEW, at(seconds)))).toBe('WEBHOOK_OUT_OF_TIME')
    await verifyWebhook(raw, headers, NEW, { ...at(3000), toleranceSeconds: 3600 })
    const none = { ...headers, 'webhook-timestamp': 'soon' }
    expect(await codeOf(verifyWebhook(raw, none, NEW))).toBe('WEBHOOK_OUT_OF_TIME')
  })

  it('is refused if a parser was there before: what it signs is the bytes', async () => {
    const { body: raw, headers } = await delivered()
    expect(await codeOf(verifyWebhook(JSON.parse(raw), headers, NEW))).toBe('WEBHOOK_BODY_NOT_RAW')
  })

  it('is refused without its headers, and where the portal has set no secret', async () => {
    const { body: raw, headers } = await delivered()
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
      expect(await codeOf(verifyWebhook(raw, { ...headers, [name]: undefined }, NEW))).toBe('WEBHOOK_HEADERS_MISSING')
    // As a program without types does it: process.env of a variable that is not set.
    const unset = undefined as unknown as string
    for (const bad of [unset, '', 'whsec_', `${NEW},`, [], 'whsec_not base64!'])
      expect(await codeOf(verifyWebhook(raw, headers, bad)), String(bad)).toBe('WEBHOOK_SECRET_INVALID')
  })
})
