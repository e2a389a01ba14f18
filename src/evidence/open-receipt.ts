// Opens a receipt with nothing but public keys: its signature, and that what people read beside it is what was signed. The
// service does it with the keys in its store, the command line with those of a file.

import { compactVerify, decodeProtectedHeader, importJWK } from 'jose'
import { AppError } from '../core/errors.ts'
import { RECEIPT_TYP, type ReceiptClaims } from './receipt-claims.ts'
import type { ReceiptJwk } from './receipt-keys.ts'

/** A hand-in of some four hundred files. */
const MAX_RECEIPT_CHARS = 256 * 1024

/** A receipt, alone or with the members that the service returns beside it. */
export type ReceiptDocument = { receipt: string; kind?: unknown; claims?: unknown }

/**
 * Verifies a receipt's signature; whether its key still proves anything is not asked.
 *
 * @param findKey the public key of a `kid`; undefined: there is none
 * @returns its claims, and its key
 * @throws RECEIPT_INVALID, and what `findKey` throws
 */
export async function openReceipt(
  { receipt, ...beside }: ReceiptDocument,
  findKey: (kid: string) => Promise<ReceiptJwk | undefined>,
): Promise<{ claims: ReceiptClaims; key: ReceiptJwk }> {
  if (receipt.length > MAX_RECEIPT_CHARS) throw refused()
  try {
    const { kid, typ } = decodeProtectedHeader(receipt)
    const key = typ === RECEIPT_TYP && kid !== undefined ? await findKey(kid) : undefined
    if (key === undefined) throw refused()
    const { payload } = await compactVerify(receipt, await importJWK(key, 'EdDSA'), { algorithms: ['EdDSA'] })
    const claims = JSON.parse(Buffer.from(payload).toString('utf8')) as ReceiptClaims
    // People read what stands beside the signed text, and that can be changed without the key.
    if (beside.kind !== undefined && beside.kind !== claims.kind) throw refused()
    if (beside.claims !== undefined && !isSame(beside.claims, claims)) throw refused()
    return { claims, key }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw refused(error)
  }
}

function refused(cause?: unknown): AppError {
  return new AppError('RECEIPT_INVALID', { details: { valid: false }, ...(cause === undefined ? {} : { cause }) })
}

/** The same members with the same values, in any order. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))]
  return left.length === right.size && left.every(([name, value]) => right.has(name) && isSame(value, right.get(name)))
}
