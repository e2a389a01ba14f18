// What a person may hold: a receipt as the service returned it, a line of an export, or its signed text alone.

/** A file that is larger is no receipt. */
export const MAX_RECEIPT_BYTES = 700 * 1024

const JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** The members that the service compares or knows. */
const MEMBERS = ['receipt', 'kind', 'claims', 'keys', 'check']

/**
 * The body of a verification.
 *
 * @param {string} text
 * @returns {object | null} null: it is no receipt
 */
export function receiptIn(text) {
  const trimmed = text.trim()
  if (JWS.test(trimmed)) return { receipt: trimmed }
  // An address that was copied from a QR code, or what stands in it.
  const id = trimmed.split('#').at(-1) ?? ''
  if (/^[\w-]+(\/[\w.~-]+){4}$/.test(id)) return { id }
  try {
    const document = JSON.parse(trimmed)
    if (typeof document?.receipt !== 'string') return null
    return Object.fromEntries(MEMBERS.flatMap((name) => (name in document ? [[name, document[name]]] : [])))
  } catch {
    return null // no JSON
  }
}
