// The keys that receipts are signed with: Ed25519 (RFC 8032), derived from RECEIPT_SECRET, so that every process has the
// same one and no private key is stored. The public keys are stored permanently, to verify old receipts. A key can be
// withdrawn as of a date: then its signature alone proves nothing any more, since whoever has it writes any date.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { isoTime } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { deriveKey } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { objectKeys } from '../records/keys.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** RFC 8037; `kid` is the thumbprint of RFC 7638. */
export type ReceiptJwk = {
  kty: 'OKP'
  crv: 'Ed25519'
  x: string
  kid: string
  alg: 'EdDSA'
  use: 'sig'
  /** Withdrawn as of a date (seconds): member and names are those of OpenID Federation for keys that were. */
  revoked?: { revoked_at: number; reason: 'compromised' }
}

/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const KID = /^[\w-]{43}$/
/** Within this time every process knows of a withdrawal. */
const REMEMBERED_MS = 30_000
/** The date is in the name, so that a list tells all. */
const WITHDRAWAL = /^([\w-]{43})\.withdrawn-(\d{14})\.json$/

export class ReceiptKeys {
  readonly #store: ObjectStore
  readonly #private: readonly KeyObject[]
  #own: Promise<ReceiptJwk[]> | undefined
  #withdrawals: { fromMsOf: Map<string, number>; untilMs: number } | undefined

  constructor({ config, store }: { config: Pick<Config, 'secrets'>; store: ObjectStore }) {
    this.#store = store
    this.#private = config.secrets.receipt.map(privateKeyOf)
  }

  /** The current signing key. Its public key is stored before the first use. Throws RECEIPT_SIGNING_STOPPED. */
  async signing(): Promise<{ key: KeyObject; kid: string }> {
    const withdrawn = await this.#withdrawn()
    for (const [i, { kid }] of (await this.#published()).entries()) {
      const key = this.#private[i]
      if (key !== undefined && !withdrawn.has(kid)) return { key, kid }
    }
    throw new AppError('RECEIPT_SIGNING_STOPPED')
  }

  /**
   * Withdraws a key for good. What it signed from then on is void; what it signed before, by what it says, counts where
   * records confirm it. Repeated with an earlier date, that one holds.
   *
   * @returns false: there is no such key
   */
  async withdraw(kid: string, fromMs: number): Promise<boolean> {
    if ((await this.find(kid)) === undefined) return false
    const name = `${objectKeys.receiptKeys}${kid}.withdrawn-${String(fromMs).padStart(14, '0')}.json`
    await this.#store.createIfAbsent(name, Buffer.from(JSON.stringify({ kid, from: isoTime(fromMs) })))
    this.#withdrawals = undefined
    return true
  }

  /** For operators: the key that signs (null: all are withdrawn), and how many are withdrawn. */
  async state(): Promise<{ signs: string | null; withdrawn: number }> {
    const withdrawn = await this.#withdrawn()
    const signs = (await this.#published()).find(({ kid }) => !withdrawn.has(kid))
    return { signs: signs?.kid ?? null, withdrawn: withdrawn.size }
  }

  /** From when on a key is withdrawn, in milliseconds; undefined: it is not. */
  async withdrawnFromMs(kid: string): Promise<number | undefined> {
    return (await this.#withdrawn()).get(kid)
  }

  /** All public keys that ever signed receipts, the current one first. */
  async all(): Promise<ReceiptJwk[]> {
    const own = await this.#published()
    const withdrawn = await this.#withdrawn()
    const known = new Set(own.map(({ kid }) => kid))
    const older: ReceiptJwk[] = []
    for await (const { key } of this.#store.list(objectKeys.receiptKeys)) {
      const kid = key.slice(objectKeys.receiptKeys.length, -'.json'.length)
      const found = known.has(kid) ? undefined : await this.#stored(kid)
      if (found !== undefined) older.push(found)
    }
    return [...own, ...older].map((key) => {
      const fromMs = withdrawn.get(key.kid)
      if (fromMs === undefined) return key
      return { ...key, revoked: { revoked_at: Math.floor(fromMs / 1000), reason: 'compromised' } }
    })
  }

  /** The public key of this `kid`, or undefined. */
  async find(kid: string): Promise<ReceiptJwk | undefined> {
    const own = (await this.#published()).find((key) => key.kid === kid)
    return own ?? (await this.#stored(kid))
  }

  async #stored(kid: string): Promise<ReceiptJwk | undefined> {
    if (!KID.test(kid)) return undefined
    const body = await this.#store.read(nameOf(kid))
    if (body === undefined) return undefined
    const { x } = JSON.parse(body.toString('utf8')) as ReceiptJwk
    const key = await withKid(x)
    return key.kid === kid ? key : undefined
  }

  /** Key → since when; the earliest date of each. */
  async #withdrawn(): Promise<Map<string, number>> {
    const nowMs = performance.now()
    if (this.#withdrawals !== undefined && this.#withdrawals.untilMs > nowMs) return this.#withdrawals.fromMsOf
    const fromMsOf = new Map<string, number>()
    for await (const { key } of this.#store.list(objectKeys.receiptKeys)) {
      const [, kid, digits] = WITHDRAWAL.exec(key.slice(objectKeys.receiptKeys.length)) ?? []
      if (kid !== undefined) fromMsOf.set(kid, Math.min(Number(digits), fromMsOf.get(kid) ?? Number.POSITIVE_INFINITY))
    }
    this.#withdrawals = { fromMsOf, untilMs: nowMs + REMEMBERED_MS }
    return fromMsOf
  }

  async #published(): Promise<ReceiptJwk[]> {
    this.#own ??= this.#publish().catch((error: unknown) => {
      this.#own = undefined
      throw error
    })
    return await this.#own
  }

  async #publish(): Promise<ReceiptJwk[]> {
    const keys = await Promise.all(this.#private.map((key) => withKid(publicPart(key))))
    for (const key of keys) await this.#store.createIfAbsent(nameOf(key.kid), Buffer.from(JSON.stringify(key)))
    faultPoint('receipt.key-stored')
    return keys
  }
}

function nameOf(kid: string): string {
  return `${objectKeys.receiptKeys}${kid}.json`
}

function privateKeyOf(secret: string): KeyObject {
  const seed = deriveKey(secret, 'songngan receipt key, version 1')
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
}

function publicPart(key: KeyObject): string {
  const { x } = createPublicKey(key).export({ format: 'jwk' })
  if (x === undefined) throw new Error('no public key')
  return x
}

async function withKid(x: string): Promise<ReceiptJwk> {
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })
  return { kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }
}
