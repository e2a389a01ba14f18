// What every receipt has in common.

export const RECEIPT_TYP = 'receipt+jwt'
export const RECEIPT_ISSUER = 'songngan'

/**
 * `stored`: all bytes of an upload are stored. `final`: and the SHA-256 is known. `attempt`: an attempt to create an upload.
 * `submission`: a whole hand-in. `outage`: an entry of the outage ledger.
 */
export const RECEIPT_KINDS = ['stored', 'final', 'attempt', 'submission', 'outage'] as const
export type ReceiptKind = (typeof RECEIPT_KINDS)[number]

export type ReceiptClaims = {
  iss: typeof RECEIPT_ISSUER
  /** Seconds: when the receipt was signed. */
  iat: number
  kind: ReceiptKind
  /** Name of the portal's API key, the namespace of the submission. Null: of all portals, as an outage. */
  portal: string | null
  submission: string | null
  slot: string | null
  [told: string]: unknown
}

/** What is told to the signature, which adds who signs and when. */
export type ToldClaims = Omit<ReceiptClaims, 'iss' | 'iat'>
