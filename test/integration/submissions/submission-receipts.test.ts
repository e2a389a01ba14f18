// The receipt of a whole hand-in: what it says, for whom, how it is checked by those who hold it or only its QR code, and what
// each of them is told once things have changed.

import { createPrivateKey } from 'node:crypto'
import { CompactSign, compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { deriveKey } from '../../../src/core/derive-key.ts'
import { signCheckId } from '../../../src/evidence/check-id.ts'
import { ReceiptKeys } from '../../../src/evidence/receipt-keys.ts'
import { Receipts } from '../../../src/evidence/receipts.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment, TICKET_SECRET } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

const SHA256 = 'ab'.repeat(32)
type Claims = Record<string, unknown> & { uploads: Record<string, unknown>[] }

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment({ READS_PER_MINUTE: '40' })
})
afterAll(async () => await h.close())

const path = (id: string, query = '') => `/v1/submissions/${id}/receipt${query}`
const get = (id: string, query = '', token?: string) => h.call('GET', path(id, query), { token })
const verify = (body: unknown) => h.call('POST', '/v1/receipts/verify', { body, token: null })
const seal = (id: string) => h.call('POST', `/v1/submissions/${id}/seal`)
const giveBack = (id: string) => h.call('POST', `/v1/submissions/${id}/return`, { body: { reason: 'หน้า 3 หาย' } })
const checkId = (body: Record<string, unknown>) => new URL(String(body['check'])).hash.slice(1)
const keySet = async () => (await h.call('GET', '/v1/receipts/keys', { token: null })).body as unknown as JSONWebKeySet

let submissions = 0
/** Handed in with one file that was read as a whole, and one that was not yet. */
async function handedIn() {
  const id = `k4-${++submissions}`
  await h.put(id, { deadline: isoTime(h.clock.ms + 3_600_000) })
  const plan = await h.acceptedUpload(id, 'plan', { subject: 'ครู 1' })
  const planAt = isoTime(h.clock.ms)
  await h.deps.uploads.commit(
    plan.id,
    (current) => current && reached(current, 'accepted', { sha256: SHA256, atMs: h.clock.ms }),
  )
  const extra = await h.acceptedUpload(id, 'extras')
  const extraAt = isoTime(h.clock.ms)
  h.clock.ms += 60_000
  await seal(id)
  return { id, plan, planAt, extra, extraAt, sealedAt: isoTime(h.clock.ms) }
}

describe('the receipt of a hand-in', () => {
  it('says of every file what was received and when, and when it was handed in, without a person', async () => {
    const { id, plan, planAt, extra, extraAt, sealedAt } = await handedIn()
    h.clock.ms += 5000
    const { status, body, headers } = await get(id)
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('private, no-cache')
    const common = { filename: 'แผนการสอน.pdf', bytes: 1000, late: false, repaired: false }
    expect(body).toEqual({
      kind: 'submission',
      receipt: expect.any(String),
      keys: 'https://songngan.example/v1/receipts/keys',
      check: expect.stringMatching(/^https:\/\/songngan\.example\/verify#portal\/k4-\d+\/1\/[\w-]{43}\/[\w-]{86}$/),
      claims: {
        iss: 'songngan',
        iat: Math.floor(h.clock.ms / 1000),
        kind: 'submission',
        portal: 'portal',
        submission: id,
        slot: null,
        revision: 1,
        profile: 'tiny@1',
        sealedAt,
        sealedBy: 'request',
        creditedAt: extraAt,
        deadline: expect.any(String),
        uploads: [
          { slot: 'plan', upload: plan.id, sha256: SHA256, storedAt: planAt, ...common },
          { slot: 'extras', upload: extra.id, sha256: null, storedAt: extraAt, ...common },
        ],
      },
    })
    // Offline, with the published keys and any JOSE library.
    const { payload, protectedHeader } = await compactVerify(String(body['receipt']), createLocalJWKSet(await keySet()))
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toEqual(body['claims'])
    expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'receipt+jwt' })
  })

  it('is there only for what was handed in, and for its own portal and sessions', async () => {
    const { id } = await handedIn()
    const open = `k4-${++submissions}`
    await h.put(open)
    expectProblem(await get(open), 'RECEIPT_NOT_SEALED', { details: { revision: 1, sealedRevisions: [] } })
    expectProblem(await get(id, '?revision=2'), 'RECEIPT_NOT_SEALED', { details: { sealedRevisions: [1] } })
    for (const odd of ['0', '-1', 'x']) expectProblem(await get(id, `?revision=${odd}`), 'BAD_REQUEST')
    expect((await get(id, '', await h.session(id))).status).toBe(200)
    expectProblem(await get(id, '', OTHER_KEY), 'SUBMISSION_UNKNOWN')
    expectProblem(await get(id, '', await h.session(open)), 'SUBMISSION_UNKNOWN')
    expectProblem(await get(id, '', await h.session(id, { can: ['upload'] })), 'SESSION_SCOPE')
  })

  it('has the SHA-256 of a file once it was read, says what sealed it, and stands by its revision', async () => {
    const { id, extra } = await handedIn()
    await h.deps.uploads.commit(
      extra.id,
      (current) => current && reached(current, 'accepted', { sha256: 'cd'.repeat(32), atMs: h.clock.ms }),
    )
    const first = (await get(id)).body['claims'] as Claims
    expect(first.uploads.map(({ sha256 }) => sha256)).toEqual([SHA256, 'cd'.repeat(32)])
    await giveBack(id)
    expectProblem(await get(id), 'RECEIPT_NOT_SEALED', { details: { revision: 2, sealedRevisions: [1] } })
    const next = await h.acceptedUpload(id, 'plan', { revision: 2 })
    await h.commitHead(id, { sealAtDeadline: true })
    await seal(id)
    const second = (await get(id)).body['claims'] as Claims
    expect([second['revision'], second.uploads.map(({ upload }) => upload)]).toEqual([2, [next.id, extra.id]])
    expect((await get(id, '?revision=1')).body['claims']).toEqual({ ...first, iat: second['iat'] })
  })
})

describe('whoever holds it', () => {
  it('is told that it is valid, as text and as the document', async () => {
    const { id } = await handedIn()
    const { body: document } = await get(id)
    const { kid } = (await keySet()).keys[0] ?? {}
    for (const held of [document, { receipt: ` ${String(document['receipt'])}\n` }]) {
      const { status, body } = await verify(held)
      expect(status).toBe(200)
      expect(body).toEqual({
        valid: true,
        code: 'RECEIPT_VALID',
        kind: 'submission',
        claims: document['claims'],
        key: { kid, withdrawnFrom: null },
        current: { state: 'sealed', revision: 1 },
        labels: expect.objectContaining({ plan: { th: expect.any(String), en: expect.any(String) } }),
      })
    }
  })

  it('is told of every changed character, signed or not', async () => {
    const { body: document } = await get((await handedIn()).id)
    const receipt = String(document['receipt'])
    for (let at = 3; at < receipt.length; at += 97) {
      const other = receipt[at] === 'A' ? 'B' : 'A'
      if (receipt[at] === '.') continue
      const changed = receipt.slice(0, at) + other + receipt.slice(at + 1)
      expectProblem(await verify({ receipt: changed }), 'RECEIPT_INVALID', { details: { valid: false } })
    }
    const claims = document['claims'] as Claims
    const [first, ...rest] = claims.uploads
    const edited = { ...claims, uploads: [{ ...first, filename: 'แผนการสอน2.pdf' }, ...rest] }
    expectProblem(await verify({ ...document, claims: edited }), 'RECEIPT_INVALID', { details: { valid: false } })
  })

  it('is told when another revision came after it, and when the submission was deleted', async () => {
    const { id } = await handedIn()
    const { body: document } = await get(id)
    await giveBack(id)
    expect((await verify(document)).body).toMatchObject({
      code: 'RECEIPT_VALID',
      claims: { revision: 1 },
      current: { state: 'returned', revision: 2 },
    })
    await seal(id)
    expect((await verify(document)).body['current']).toEqual({ state: 'sealed', revision: 2 })
    await h.call('DELETE', `/v1/submissions/${id}`)
    // What was signed stays true; it needs no data of the submission.
    expect((await verify(document)).body).toMatchObject({ valid: true, current: { state: 'deleted' } })
    expectProblem(await verify({ id: checkId(document) }), 'SUBMISSION_DELETED', { details: { valid: false } })
    expectProblem(await get(id), 'SUBMISSION_DELETED')
  })

  it('is told so for a submission that the store does not know, and refused one that another service signed', async () => {
    const { receiptKeys, receipts } = signer(TICKET_SECRET)
    const told = { kind: 'submission' as const, portal: 'portal', submission: 'nowhere', slot: null, revision: 1 }
    const { receipt } = await receipts.sign(told)
    expect((await verify({ receipt })).body).toMatchObject({
      valid: true,
      current: { state: 'unknown', revision: null },
    })
    const id = signCheckId({ owner: 'portal', submission: 'nowhere', revision: 1 }, await receiptKeys.signing())
    expectProblem(await verify({ id }), 'SUBMISSION_UNKNOWN', { details: { valid: false } })
    const elsewhere = await openStillEnvironment({ TICKET_SECRET: 'the-secret-of-another-service-of-thirty-two' })
    try {
      await elsewhere.put('there')
      await elsewhere.acceptedUpload('there', 'plan')
      await elsewhere.call('POST', '/v1/submissions/there/seal')
      const { body: foreign } = await elsewhere.call('GET', path('there'))
      expectProblem(await verify(foreign), 'RECEIPT_INVALID')
      expectProblem(await verify({ id: checkId(foreign) }), 'RECEIPT_INVALID')
    } finally {
      await elsewhere.close()
    }
  })
})

describe('whoever has only its QR code', () => {
  it('is told of the files without their names', async () => {
    const { id, sealedAt } = await handedIn()
    const { body: document } = await get(id)
    const { status, body, text } = await verify({ id: checkId(document) })
    expect(status).toBe(200)
    const { iss: _iss, iat: _iat, uploads, ...claims } = document['claims'] as Claims
    expect(body).toMatchObject({
      valid: true,
      code: 'RECEIPT_VALID',
      kind: 'submission',
      claims: { ...claims, sealedAt, uploads: uploads.map(({ filename: _filename, ...file }) => file) },
      current: { state: 'sealed', revision: 1 },
    })
    expect(text).not.toContain('แผนการสอน.pdf')
    expect(text).not.toContain('ครู 1')
  })

  it('learns nothing by changing it', async () => {
    const { id } = await handedIn()
    const other = (await handedIn()).id
    const good = checkId((await get(id)).body)
    for (const bad of [
      good.replace(id, other),
      good.replace('/1/', '/2/'),
      good.replace('portal/', 'other/'),
      good.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')),
      good.replace(id, '..'),
      good.split('/').slice(0, 4).join('/'),
      `${good}/x`,
      'x',
    ])
      expectProblem(await verify({ id: bad }), 'RECEIPT_INVALID', { details: { valid: false } })
    expectProblem(await verify({ id: 'x'.repeat(513) }), 'BAD_REQUEST')
    // An id is no receipt, and a receipt no id.
    expectProblem(await verify({ receipt: good }), 'RECEIPT_INVALID')
    expectProblem(await verify({ id: String((await get(id)).body['receipt']).slice(0, 512) }), 'RECEIPT_INVALID')
  })

  it('is told of an older revision that it is one', async () => {
    const { id, plan } = await handedIn()
    const paper = checkId((await get(id)).body)
    await giveBack(id)
    await h.acceptedUpload(id, 'plan', { revision: 2 })
    await seal(id)
    const { body } = await verify({ id: paper })
    expect(body).toMatchObject({ claims: { revision: 1 }, current: { state: 'sealed', revision: 2 } })
    expect((body['claims'] as Claims).uploads[0]).toMatchObject({ upload: plan.id })
  })

  it('is told to come back when one receipt is checked without end; another one is not counted with it', async () => {
    const [id, other] = [(await handedIn()).id, (await handedIn()).id]
    const { body: document } = await get(id)
    const paper = { id: checkId((await get(other)).body) }
    const refusal = async () => {
      for (let turn = 0; turn < 200; turn++) {
        const answer = await verify(turn % 2 === 0 ? document : { id: checkId(document) })
        if (answer.status !== 200) return answer
      }
      throw new Error('never refused')
    }
    const answer = await refusal()
    expectProblem(answer, 'RATE_LIMITED')
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect((await verify(paper)).status).toBe(200)
    // Its own portal reads on.
    expect((await get(id)).status).toBe(200)
  })
})

describe('once its key was rotated', () => {
  it('receipt and paper are as good as before, and the key stays published', async () => {
    const { id } = await handedIn()
    const old = signer('an-older-secret-of-thirty-two-characters')
    const { iss: _iss, iat: _iat, ...told } = (await get(id)).body['claims'] as Claims
    const { receipt } = await old.receipts.sign(told as unknown as Parameters<Receipts['sign']>[0])
    const paper = signCheckId({ owner: 'portal', submission: id, revision: 1 }, await old.receiptKeys.signing())
    expect((await verify({ receipt })).body).toMatchObject({ code: 'RECEIPT_VALID' })
    expect((await verify({ id: paper })).body).toMatchObject({ code: 'RECEIPT_VALID' })
    const { payload } = await compactVerify(receipt, createLocalJWKSet(await keySet()))
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toMatchObject({ submission: id })
  })
})

describe('once its key was withdrawn', () => {
  const LEAKED = 'the-secret-that-leaked-of-thirty-two-characters'
  let id: string
  let told: Parameters<Receipts['sign']>[0]
  let kid: string
  let before: string
  let paper: string
  let signedAtSeconds: number
  beforeAll(async () => {
    const { extra, ...handed } = await handedIn()
    id = handed.id
    const leaked = signer(LEAKED)
    const {
      iss: _iss,
      iat: _iat,
      ...claims
    } = (await get(id)).body['claims'] as typeof told & { iss: string; iat: number }
    told = claims as typeof told
    before = (await leaked.receipts.sign(told)).receipt
    signedAtSeconds = Math.floor(h.clock.ms / 1000)
    const signing = await leaked.receiptKeys.signing()
    kid = signing.kid
    paper = signCheckId({ owner: 'portal', submission: id, revision: 1 }, signing)
    await h.deps.uploads.commit(
      extra.id,
      (current) => current && reached(current, 'accepted', { sha256: 'cd'.repeat(32), atMs: h.clock.ms }),
    )
    h.clock.ms += 60_000
    await h.deps.receiptKeys.withdraw(kid, h.clock.ms - 1000)
  })
  const forged = (change: Record<string, unknown>) =>
    new CompactSign(Buffer.from(JSON.stringify({ iss: 'songngan', iat: signedAtSeconds, ...told, ...change })))
      .setProtectedHeader({ alg: 'EdDSA', typ: 'receipt+jwt', kid })
      .sign(privateKey(LEAKED))

  it('an earlier receipt counts where the records say the same, also one from before a file was read', async () => {
    expect((await verify({ receipt: before })).body).toMatchObject({ valid: true, code: 'RECEIPT_CONFIRMED' })
    await giveBack(id)
    expect((await verify({ receipt: before })).body).toMatchObject({
      code: 'RECEIPT_CONFIRMED',
      current: { state: 'returned', revision: 2 },
    })
    expect((await verify({ id: paper })).body).toMatchObject({
      code: 'RECEIPT_CONFIRMED',
      key: { kid, withdrawnFrom: expect.any(String) },
      claims: { sealedAt: told['sealedAt'] },
    })
  })

  it.each([
    ['a file less', () => ({ uploads: (told['uploads'] as unknown[]).slice(1) })],
    ['another SHA-256', () => ({ uploads: withFile({ sha256: 'ef'.repeat(32) }) })],
    ['another time of a file', () => ({ uploads: withFile({ storedAt: '2026-01-01T00:00:00.000Z' }) })],
    ['no files', () => ({ uploads: null })],
    ['another time of the hand-in', () => ({ sealedAt: '2026-01-01T00:00:00.000Z' })],
    ['another revision', () => ({ revision: 2 })],
    ['a revision of a path', () => ({ revision: '../1' })],
    ['another submission', () => ({ submission: 'nowhere' })],
    ['no submission', () => ({ submission: null })],
    ['a submission of a path', () => ({ submission: '../x' })],
    ['more than was ever said', () => ({ more: 1 })],
  ])('one that was forged with %s does not', async (_, change) => {
    expectProblem(await verify({ receipt: await forged(change()) }), 'RECEIPT_NOT_CONFIRMED', {
      details: { valid: false },
    })
  })

  it('nor one that is dated later, nor an id of what was never handed in', async () => {
    const late = await forged({ iat: Math.ceil(h.clock.ms / 1000) })
    expectProblem(await verify({ receipt: late }), 'RECEIPT_KEY_WITHDRAWN', { details: { valid: false } })
    const invented = signCheckId({ owner: 'portal', submission: id, revision: 2 }, { key: privateKey(LEAKED), kid })
    expectProblem(await verify({ id: invented }), 'RECEIPT_INVALID', { details: { valid: false } })
  })

  function withFile(change: Record<string, unknown>): unknown[] {
    const [first, ...rest] = told['uploads'] as Record<string, unknown>[]
    return [{ ...first, ...change }, ...rest]
  }
})

/** A service that signs with another secret, over the same store. */
function signer(secret: string) {
  const config = { secrets: { ...h.deps.config.secrets, receipt: [secret] as const } }
  const receiptKeys = new ReceiptKeys({ config, store: h.deps.store })
  return { receiptKeys, receipts: new Receipts({ receiptKeys, clock: h.clock }) }
}

function privateKey(secret: string) {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
  const seed = deriveKey(secret, 'songngan receipt key, version 1')
  return createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' })
}
