// Schemas that the routes of receipts share.

import Type from 'typebox'
import { RECEIPT_KINDS } from '../evidence/receipt-claims.ts'

export const Text = Type.String()
export const TextOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'] })
export const Kind = Type.Enum([...RECEIPT_KINDS])
export const Signed = Type.String({ description: 'JWS in compact form (RFC 7515), EdDSA over Ed25519' })
export const Claims = Type.Record(Type.String(), Type.Unknown(), { description: 'The signed claims' })
