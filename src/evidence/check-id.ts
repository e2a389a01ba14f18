// The id in the QR code of a printed receipt: which revision of which submission, and a signature, so that nobody reads about
// a hand-in by guessing. It is signed as receipts are, and so it is good for as long as paper: the public keys are kept.

import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { isSubmissionId } from '../core/ids.ts'
import type { ReceiptJwk } from './receipt-keys.ts'

/** One revision of a submission. */
export type Revision = { owner: string; submission: string; revision: number }

const FORM = /^([A-Za-z0-9_-]{1,64})\/([A-Za-z0-9._~-]{1,128})\/([1-9]\d{0,8})\/([\w-]{43})\/([\w-]{86})$/

/** Its parts are joined by `/`, which none of them has. The same key gives the same id. */
export function signCheckId(of: Revision, { key, kid }: { key: KeyObject; kid: string }): string {
  return `${nameOf(of)}/${kid}/${sign(null, signed(of, kid), key).toString('base64url')}`
}

/**
 * Opens an id.
 *
 * @param findKey the public key of a `kid`; undefined: there is none
 * @returns undefined: it is none of ours, or it was changed
 */
export async function openCheckId(
  id: string,
  findKey: (kid: string) => Promise<ReceiptJwk | undefined>,
): Promise<(Revision & { kid: string }) | undefined> {
  const [, owner = '', submission = '', digits = '', kid = '', signature = ''] = FORM.exec(id) ?? []
  if (!isSubmissionId(submission)) return undefined
  const of = { owner, submission, revision: Number(digits) }
  const jwk = await findKey(kid)
  if (jwk === undefined) return undefined
  const { kty, crv, x } = jwk
  const key = createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
  return verify(null, signed(of, kid), key, Buffer.from(signature, 'base64url')) ? { ...of, kid } : undefined
}

function nameOf({ owner, submission, revision }: Revision): string {
  return `${owner}/${submission}/${revision}`
}

/** No receipt begins like this, so that neither passes for the other. */
function signed(of: Revision, kid: string): Buffer {
  return Buffer.from(`songngan receipt check, version 1\n${nameOf(of)}/${kid}`)
}
