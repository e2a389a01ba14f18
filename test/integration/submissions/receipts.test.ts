// Receipts: signed at once, whole once the file was read, and to be checked without this service.

import { execFile } from 'node:child_process'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isoTime } from '../../../src/core/clock.ts'
import { ReceiptKeys } from '../../../src/evidence/receipt-keys.ts'
import { Receipts } from '../../../src/evidence/receipts.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import { OTHER_KEY, openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { reached } from '../../support/records.ts'
import { expectProblem } from './expect-problem.ts'

let h: StillEnvironment
beforeAll(async () => {
  h = await openStillEnvironment()
})
afterAll(async () => await h.close())

const SHA256 = 'ab'.repeat(32)
const get = (id: string, token?: string) =>
  h.call('GET', `/v1/uploads/${id}/receipt`, token === undefined ? {} : { token })
const receiptOf = async (id: string) => String((await get(id)).body['receipt'])
/** Nobody needs a key for these. */
const keySet = async () => (await h.call('GET', '/v1/receipts/keys', { token: null })).body as unknown as JSONWebKeySet
const check = (receipt: unknown) => h.call('POST', '/v1/receipts/verify', { body: { receipt }, token: null })

const stored = async (submissionId: string) => {
  const draft = await h.beginUpload(submissionId, 'plan', { subject: 'ครู 1' })
  await h.storeUpload(draft)
  return draft
}
const inspected = (id: string) =>
  h.deps.uploads.commit(id, (current) => current && reached(current, 'accepted', { sha256: SHA256, atMs: h.clock.ms }))

type Deps = {
  header: Record<string, unknown>
  claims: Record<string, unknown>
  input: string
  signature: Buffer
}
function take(receipt: string): Deps {
  const [header = '', payload = '', signature = ''] = receipt.split('.')
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Deps['claims']
  return {
    header: read(header),
    claims: read(payload),
    input: `${header}.${payload}`,
    signature: Buffer.from(signature, 'base64url'),
  }
}

describe('the receipt of an upload', () => {
  it('contains immediately what was received, when and for which slot', async () => {
    await h.put('r-1', { deadline: isoTime(h.clock.ms + 3_600_000) })
    const begun = await h.beginUpload('r-1', 'plan')
    expectProblem(await get(begun.id), 'RECEIPT_NOT_READY')
    await h.receiveBytes(begun)
    expectProblem(await get(begun.id), 'RECEIPT_NOT_READY')
    const draft = await stored('r-1')
    const storedAt = isoTime(h.clock.ms)
    h.clock.ms += 60_000
    const { status, body } = await get(draft.id)
    expect(status).toBe(200)
    expect(body).toEqual({
      kind: 'stored',
      receipt: expect.any(String),
      keys: 'https://songngan.example/v1/receipts/keys',
      claims: {
        iss: 'songngan',
        iat: Math.floor(h.clock.ms / 1000),
        kind: 'stored',
        portal: 'portal',
        submission: 'r-1',
        slot: 'plan',
        revision: 1,
        profile: 'tiny@1',
        upload: draft.id,
        subject: 'ครู 1',
        filename: 'แผนการสอน.pdf',
        bytes: 1000,
        sha256: null,
        createdAt: draft.createdAt,
        storedAt,
        deadline: isoTime(Date.parse(storedAt) + 3_600_000 - 2),
        late: false,
        repaired: false,
        state: 'stored',
        sealed: null,
      },
    })
    expect(take(String(body['receipt'])).claims).toEqual(body['claims'])
  })

  it('has the SHA-256 after the complete file was read, and the sealed revision', async () => {
    await h.put('r-2')
    const draft = await stored('r-2')
    await h.judgeUpload(draft.id, 'accepted')
    expect((await get(draft.id)).body).toMatchObject({ kind: 'stored', claims: { state: 'accepted' } })
    await inspected(draft.id)
    expect((await get(draft.id)).body).toMatchObject({
      kind: 'final',
      claims: { sha256: SHA256, sealed: null },
    })
    await h.call('POST', '/v1/submissions/r-2/seal')
    const sealed = { revision: 1, sealedAt: isoTime(h.clock.ms) }
    expect((await get(draft.id)).body).toMatchObject({ kind: 'final', claims: { sealed } })
  })

  it('shows that a file arrived after the deadline', async () => {
    await h.put('r-3', { deadline: isoTime(h.clock.ms + 1000), graceSeconds: 600 })
    const draft = await h.beginUpload('r-3', 'plan')
    h.clock.ms += 5000
    await h.storeUpload(draft)
    expect((await get(draft.id)).body).toMatchObject({ claims: { late: true } })
  })

  it('exists for a rejected file too, and only for its own portal and sessions', async () => {
    await h.put('r-4')
    await h.put('r-5')
    const draft = await stored('r-4')
    await h.judgeUpload(draft.id, 'rejected')
    expect((await get(draft.id)).body).toMatchObject({ claims: { state: 'rejected' } })
    expect((await get(draft.id, await h.session('r-4'))).status).toBe(200)
    expectProblem(await get(draft.id, OTHER_KEY), 'UPLOAD_UNKNOWN')
    expectProblem(await get(draft.id, await h.session('r-5')), 'UPLOAD_UNKNOWN')
    expectProblem(await get(draft.id, await h.session('r-4', { can: ['upload'] })), 'SESSION_SCOPE')
  })
})

describe('a receipt can be verified', () => {
  let receipt: string
  beforeAll(async () => {
    await h.put('c-1')
    const draft = await stored('c-1')
    await inspected(draft.id)
    receipt = await receiptOf(draft.id)
  })

  it('by node:crypto alone', async () => {
    const { keys } = await keySet()
    const { header, input, signature } = take(receipt)
    expect(header).toEqual({ alg: 'EdDSA', typ: 'receipt+jwt', kid: keys[0]?.kid })
    const key = createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' })
    expect(verify(null, Buffer.from(input), key, signature)).toBe(true)
    expect(verify(null, Buffer.from(`${input} `), key, signature)).toBe(false)
  })

  it('by openssl alone', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'songngan-receipt-'))
    const { input, signature } = take(receipt)
    const x = Buffer.from((await keySet()).keys[0]?.x ?? '', 'base64url')
    // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 section 4).
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), x])
    const file = (name: string) => join(dir, name)
    await writeFile(file('key.der'), der)
    await writeFile(file('signature'), signature)
    const openssl = async (text: string) => {
      await writeFile(file('text'), text)
      const key = ['-pubin', '-keyform', 'DER', '-inkey', file('key.der')]
      const what = ['-rawin', '-in', file('text'), '-sigfile', file('signature')]
      return await promisify(execFile)('openssl', ['pkeyutl', '-verify', ...key, ...what])
    }
    expect((await openssl(input)).stdout).toMatch(/Verified Successfully/)
    await expect(openssl(`${input}A`)).rejects.toMatchObject({ code: 1 })
    await rm(dir, { recursive: true })
  })

  it('by a JOSE library alone', async () => {
    const keys = createLocalJWKSet(await keySet())
    const { payload, protectedHeader } = await compactVerify(receipt, keys)
    expect(protectedHeader.alg).toBe('EdDSA')
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toMatchObject({ kind: 'final', sha256: SHA256 })
  })

  it('by this service, without credentials', async () => {
    const { status, body } = await check(receipt)
    expect(status).toBe(200)
    const key = { kid: take(receipt).header['kid'], withdrawnFrom: null }
    const labels = { plan: { th: expect.any(String), en: expect.any(String) } }
    const { claims } = take(receipt)
    expect(body).toMatchObject({ valid: true, code: 'RECEIPT_VALID', kind: 'final', claims, key, labels })
  })

  it('by this service as the document that it returned, unless what people read in it was changed', async () => {
    const { body: document } = await get(String(take(receipt).claims['upload']))
    const send = (body: unknown) => h.call('POST', '/v1/receipts/verify', { body, token: null })
    expect((await send(document)).body).toMatchObject({ valid: true, claims: document['claims'] })
    const claims = document['claims'] as Record<string, unknown>
    for (const changed of [
      { ...document, claims: { ...claims, storedAt: '2026-01-01T00:00:00.000Z' } },
      { ...document, claims: { ...claims, more: 'than was signed' } },
      { ...document, claims: {} },
      { ...document, kind: 'stored' },
    ])
      expectProblem(await send(changed), 'RECEIPT_INVALID', { details: { valid: false } })
    for (const odd of [{ ...document, unknown: 1 }, { ...document, id: 'x' }, { claims }, {}])
      expectProblem(await send(odd), 'BAD_REQUEST')
  })

  it.each([
    ['one letter of what it says', (r: string) => r.replace(/\.(.)/, (_, c) => (c === 'e' ? '.f' : '.e'))],
    ['a word of what it says', (r: string) => changed(r, { bytes: 999_999 })],
    ['its signature', (r: string) => `${r.slice(0, -8)}AAAAAAAA`],
    ['no signature', (r: string) => `${r.split('.').slice(0, 2).join('.')}.`],
    ['an algorithm of none', (r: string) => withHeader(r, { alg: 'none' })],
    ['an algorithm that the public key would be the secret of', (r: string) => withHeader(r, { alg: 'HS256' })],
    ['a key that it brings along', (r: string) => withHeader(r, { kid: 'x'.repeat(43) })],
    ['a key by a path', (r: string) => withHeader(r, { kid: '../../submissions/portal/c-1/000001' })],
    ['another type', (r: string) => withHeader(r, { typ: 'ticket+jwt' })],
    ['not a receipt at all', () => 'receipt'],
    ['far too much', (r: string) => r + 'A'.repeat(20_000)],
  ])('and refused with %s', async (_, change) => {
    const answer = await check(change(receipt))
    expectProblem(answer, 'RECEIPT_INVALID', { details: { valid: false } })
    expect(answer.body).not.toHaveProperty('claims')
  })

  it('and tickets and sessions are refused as receipts', async () => {
    const { body } = await h.call('POST', '/v1/submissions/c-1/tickets', { body: { slot: 'plan' } })
    for (const token of [String(body['ticket']), await h.session('c-1')])
      expectProblem(await check(token), 'RECEIPT_INVALID')
    expectProblem(await h.call('GET', '/v1/submissions/c-1', { token: receipt }), 'SESSION_INVALID')
    expectProblem(await check(''), 'BAD_REQUEST')
    expectProblem(await check(5), 'BAD_REQUEST')
  })
})

describe('the keys', () => {
  const NEW = 'a-newer-secret-of-thirty-two-characters-'
  const OLD = 'a-ticket-secret-of-thirty-two-characters'
  const process = (...secrets: [string, ...string[]]) => {
    const receiptKeys = new ReceiptKeys({
      config: { secrets: { ...h.deps.config.secrets, receipt: secrets } },
      store: h.deps.store,
    })
    return { receiptKeys, receipts: new Receipts({ receiptKeys, clock: h.clock }) }
  }
  const told = { kind: 'stored' as const, portal: 'portal', submission: 'k', slot: 'plan' }

  it('are the same in every process, public keys only', async () => {
    const mine = await process(OLD).receiptKeys.all()
    expect((await keySet()).keys[0]).toEqual(mine[0])
    for (const key of (await keySet()).keys)
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    for await (const { key } of h.deps.store.list(objectKeys.receiptKeys))
      expect((await h.deps.store.read(key))?.toString('utf8')).not.toContain('"d"')
  })

  it('are kept after their secrets: an old receipt stays valid', async () => {
    const { receipt } = await process(OLD).receipts.sign(told)
    for (const rotated of [process(NEW, OLD), process(NEW)]) {
      expect(await rotated.receipts.verify({ receipt })).toMatchObject({ claims: told })
      const { receipt: newer } = await rotated.receipts.sign(told)
      expect(take(newer).header['kid']).not.toBe(take(receipt).header['kid'])
      const keys = await rotated.receiptKeys.all()
      expect(keys.map(({ kid }) => kid).slice(0, 2)).toEqual([take(newer).header['kid'], take(receipt).header['kid']])
    }
  })

  it('are not accepted from an object with another name', async () => {
    const { receipt } = await process(OLD).receipts.sign(told)
    const kid = String(take(receipt).header['kid'])
    const key = await h.deps.store.read(`${objectKeys.receiptKeys}${kid}.json`)
    const other = `${'A'.repeat(42)}Q`
    await h.deps.store.createIfAbsent(`${objectKeys.receiptKeys}${other}.json`, key ?? Buffer.alloc(0))
    const { receiptKeys } = process(OLD)
    expect(await receiptKeys.find(kid)).toMatchObject({ kid })
    expect(await receiptKeys.find(other)).toBeUndefined()
    expect((await receiptKeys.all()).filter((found) => found.kid === kid)).toHaveLength(1)
  })
})

function changed(receipt: string, claims: Record<string, unknown>): string {
  const [header = '', , signature = ''] = receipt.split('.')
  const payload = { ...take(receipt).claims, ...claims }
  return `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
}

function withHeader(receipt: string, change: Record<string, unknown>): string {
  const [, payload = '', signature = ''] = receipt.split('.')
  const header = { ...take(receipt).header, ...change }
  return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${payload}.${signature}`
}
