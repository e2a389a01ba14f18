// After a leak of the key that signs receipts: whoever has it signs anything, with any date. Once it is withdrawn, only what
// our own records say as well is believed.

import { createPrivateKey } from 'node:crypto'
import { CompactSign, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { deriveKey } from '../../../src/core/derive-key.ts'
import { ReceiptKeys } from '../../../src/evidence/receipt-keys.ts'
import { Receipts } from '../../../src/evidence/receipts.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

/** One for each test: what is withdrawn stays so. */
let leakedSecret = ''
const FRESH = 'the-secret-that-came-after-it-thirty-two-characters'

let h: StillEnvironment
let leaked: { receipts: Receipts; receiptKeys: ReceiptKeys }
beforeAll(async () => {
  h = await openStillEnvironment({ RECEIPT_SECRET: FRESH })
})
afterAll(async () => await h.close())

const check = (receipt: string) => h.call('POST', '/v1/receipts/verify', { body: { receipt }, token: null })
/** As somebody signs who has the key. */
async function forge(receipt: string, change: Record<string, unknown>): Promise<string> {
  const claims = JSON.parse(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString('utf8')) as object
  return await new CompactSign(Buffer.from(JSON.stringify({ ...claims, ...change })))
    .setProtectedHeader({ alg: 'EdDSA', typ: 'receipt+jwt', kid: kidOf(receipt) })
    .sign(
      createPrivateKey({
        key: Buffer.concat([PKCS8_PREFIX, deriveKey(leakedSecret, 'songngan receipt key, version 1')]),
        format: 'der',
        type: 'pkcs8',
      }),
    )
}
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const kidOf = (receipt: string) => String(decodeProtectedHeader(receipt).kid)

/** A receipt of an upload, signed before the rotation with the claims that the service gives now. */
async function before(path: string): Promise<string> {
  const { body } = await h.call('GET', path)
  const {
    iat: _iat,
    iss: _iss,
    ...claims
  } = body['claims'] as Parameters<Receipts['sign']>[0] & { iat: number; iss: string }
  return (await leaked.receipts.sign(claims as Parameters<Receipts['sign']>[0])).receipt
}

let id: string
let uploadReceipt: string
let storedReceipt: string
let attemptReceipt: string
let submissions = 0
beforeEach(async () => {
  id = `w-${++submissions}`
  leakedSecret = `the-secret-that-leaked-of-thirty-two-characters-${submissions}`
  // The services before the rotation.
  const config = { secrets: { ...h.deps.config.secrets, receipt: [leakedSecret] as const } }
  const receiptKeys = new ReceiptKeys({ config, store: h.deps.store })
  leaked = { receiptKeys, receipts: new Receipts({ receiptKeys, clock: h.clock }) }
  await h.put(id, { deadline: isoTime(h.clock.ms + 3_600_000) })
  const draft = await h.beginUpload(id, 'plan', { subject: 'ครู 1' })
  await h.storeUpload(draft)
  storedReceipt = await before(`/v1/uploads/${draft.id}/receipt`)
  await h.deps.uploads.commit(
    draft.id,
    (current) => current && reached(current, 'accepted', { sha256: 'ab'.repeat(32), atMs: h.clock.ms }),
  )
  uploadReceipt = await before(`/v1/uploads/${draft.id}/receipt`)
  h.deps.attempts.record({
    owner: 'portal',
    submissionId: id,
    slot: 'plan',
    subject: 'ครู 1',
    declared: null,
    outcome: 'refused',
    code: 'NO_SPACE',
    uploadId: null,
  })
  const { body } = await h.call('GET', `/v1/submissions/${id}/attempts`)
  const [attempt] = body['items'] as { receipt: string }[]
  const {
    iat: _iat,
    iss: _iss,
    ...claims
  } = JSON.parse(Buffer.from(attempt?.receipt.split('.')[1] ?? '', 'base64url').toString('utf8')) as Parameters<
    Receipts['sign']
  >[0] & { iat: number; iss: string }
  attemptReceipt = (await leaked.receipts.sign(claims as Parameters<Receipts['sign']>[0])).receipt
  h.clock.ms += 60_000
})

describe('a leaked key', () => {
  it('verifies until it is withdrawn, also forged receipts, and is in the key set without a mark', async () => {
    const forged = await forge(uploadReceipt, { late: true, bytes: 1 })
    expect((await check(forged)).body).toMatchObject({ valid: true, code: 'RECEIPT_VALID' })
    const { body } = await h.call('GET', '/v1/receipts/keys', { token: null })
    expect(JSON.stringify(body)).not.toContain('revoked')
  })
})

describe('once it is withdrawn', () => {
  beforeEach(async () => {
    await h.deps.receiptKeys.withdraw(kidOf(uploadReceipt), h.clock.ms - 1000)
  })

  it('earlier receipts are valid if the records confirm them: stored, final and attempts', async () => {
    for (const receipt of [storedReceipt, uploadReceipt, attemptReceipt]) {
      const { status, body } = await check(receipt)
      expect([status, body['valid'], body.code]).toEqual([200, true, 'RECEIPT_CONFIRMED'])
      expect(body['key']).toMatchObject({ kid: kidOf(receipt), withdrawnFrom: expect.stringMatching(/Z$/) })
    }
  })

  it('later receipts are invalid', async () => {
    const iat = Math.ceil(h.clock.ms / 1000)
    const answer = await check(await forge(uploadReceipt, { iat }))
    expectProblem(answer, 'RECEIPT_KEY_WITHDRAWN', { details: { valid: false } })
    expect(answer.body).not.toHaveProperty('claims')
    for (const odd of [undefined, 'yesterday', null])
      expect((await check(await forge(uploadReceipt, { iat: odd }))).body['valid']).toBe(false)
  })

  it.each([
    { late: true },
    { bytes: 999 },
    { subject: 'ครู 2' },
    { storedAt: '2026-01-01T00:00:00.000Z' },
    { sha256: 'cd'.repeat(32) },
    { deadline: null },
    { state: 'rejected' },
    { kind: 'stored' },
    { kind: 'attempt' },
    { portal: 'other' },
    { portal: '../portal' },
    { submission: 'another' },
    { submission: '../../submissions/portal/w-1' },
    { submission: null },
    { upload: 'a'.repeat(40) },
    { upload: '../../uploads' },
    { sealed: { revision: 1, sealedAt: '2026-01-01T00:00:00.000Z' } },
    { more: 'than was ever said' },
  ])('a backdated receipt that the records do not confirm is invalid: %j', async (change) => {
    expectProblem(await check(await forge(uploadReceipt, change)), 'RECEIPT_NOT_CONFIRMED', {
      details: { valid: false },
    })
  })

  it.each([
    { outcome: 'accepted' },
    { code: 'DEADLINE_PASSED' },
    { at: '2026-01-01T00:00:00.000Z' },
    { at: 'never' },
    { attempt: 'b'.repeat(24) },
    { submission: null },
    { count: 5 },
  ])('the same of an attempt: %j', async (change) => {
    expectProblem(await check(await forge(attemptReceipt, change)), 'RECEIPT_NOT_CONFIRMED', {
      details: { valid: false },
    })
  })

  it('a receipt from before the seal is confirmed after it, and one of the seal too', async () => {
    await h.call('POST', `/v1/submissions/${id}/seal`)
    const sealed = await before(`/v1/uploads/${String(claimsOf(uploadReceipt)['upload'])}/receipt`)
    expect(claimsOf(sealed)['sealed']).not.toBeNull()
    h.clock.ms += 60_000
    // Its date is before the withdrawal's, as that of every forged one would be.
    const iat = claimsOf(uploadReceipt)['iat']
    for (const receipt of [uploadReceipt, await forge(sealed, { iat })])
      expect((await check(receipt)).body.code).toBe('RECEIPT_CONFIRMED')
  })

  it('receipts of a deleted submission are not confirmed: the record is deleted', async () => {
    await h.call('DELETE', `/v1/submissions/${id}`)
    expectProblem(await check(uploadReceipt), 'RECEIPT_NOT_CONFIRMED')
  })

  it('the key set marks it, the service signs with another, and a new receipt is valid', async () => {
    const { body } = await h.call('GET', '/v1/receipts/keys', { token: null })
    const keys = body['keys'] as { kid: string; revoked?: { revoked_at: number } }[]
    expect(keys.find(({ kid }) => kid === kidOf(uploadReceipt))?.revoked).toMatchObject({ reason: 'compromised' })
    expect(keys[0]?.revoked).toBeUndefined()
    const fresh = await h.call('GET', `/v1/uploads/${String(claimsOf(uploadReceipt)['upload'])}/receipt`)
    expect((await check(String(fresh.body['receipt']))).body).toMatchObject({ code: 'RECEIPT_VALID' })
  })

  it('an earlier date is kept, a later one is not, and a service without another key signs nothing', async () => {
    const kid = kidOf(uploadReceipt)
    const { receiptKeys } = h.deps
    const fromMs = await receiptKeys.withdrawnFromMs(kid)
    await receiptKeys.withdraw(kid, (fromMs ?? 0) + 5000)
    expect(await receiptKeys.withdrawnFromMs(kid)).toBe(fromMs)
    expect(await receiptKeys.withdraw('A'.repeat(43), 0)).toBe(false)
    const config = { secrets: { ...h.deps.config.secrets, receipt: [leakedSecret] as const } }
    const late = new ReceiptKeys({ config, store: h.deps.store })
    await expect(late.signing()).rejects.toMatchObject({ code: 'RECEIPT_SIGNING_STOPPED' })
    await receiptKeys.withdraw(kid, (fromMs ?? 0) - 86_400_000)
    expectProblem(await check(uploadReceipt), 'RECEIPT_KEY_WITHDRAWN')
  })
})

function claimsOf(receipt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(receipt.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
}
