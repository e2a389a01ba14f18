// The keys that receipts are signed with: Ed25519 (RFC 8032), derived from TICKET_SECRET, so that every process has the
// same one and no private key is stored. The public keys are stored permanently, to verify old receipts.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import type { Config } from '../core/config.ts'
import { deriveKey } from '../core/derive-key.ts'
import { faultPoint } from '../core/fault-points.ts'
import { objectKeys } from '../records/keys.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** RFC 8037; `kid` is the thumbprint of RFC 7638. */
export type ReceiptJwk = { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; alg: 'EdDSA'; use: 'sig' }

/** PKCS #8 of an Ed25519 key up to its seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const KID = /^[\w-]{43}$/

export class ReceiptKeys {
  readonly #store: ObjectStore
  readonly #signing: KeyObject
  readonly #private: readonly KeyObject[]
  #own: Promise<ReceiptJwk[]> | undefined

  constructor({ config, store }: { config: Pick<Config, 'secrets'>; store: ObjectStore }) {
    this.#store = store
    this.#private = config.secrets.receipt.map(privateKeyOf)
    this.#signing = privateKeyOf(config.secrets.receipt[0])
  }

  /** The current signing key. Its public key is stored before the first use. */
  async signing(): Promise<{ key: KeyObject; kid: string }> {
    const [first] = await this.#published()
    if (first === undefined) throw new Error('no secret')
    return { key: this.#signing, kid: first.kid }
  }

  /** All public keys that ever signed receipts, the current one first. */
  async all(): Promise<ReceiptJwk[]> {
    const own = await this.#published()
    const known = new Set(own.map(({ kid }) => kid))
    const older: ReceiptJwk[] = []
    for await (const { key } of this.#store.list(objectKeys.receiptKeys)) {
      const kid = key.slice(objectKeys.receiptKeys.length, -'.json'.length)
      const found = known.has(kid) ? undefined : await this.#stored(kid)
      if (found !== undefined) older.push(found)
    }
    return [...own, ...older]
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
