// Removes credentials from what the dashboard shows: people who may see job data, logs and errors must not
// be able to use the credentials in them.

const SECRET_NAME = /^(authorization|cookie|password|secret|ticket|token|access_?token|signature)$/i
const REDACTED = '[redacted]'

/** Credentials in texts: signed queries, tokens in links, webhook secrets, `user:password@`. */
const SECRET_TEXTS: readonly [RegExp, string][] = [
  [
    /([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|access_token|token|key|signature|sig)=)[^&\s"']+/gi,
    `$1${REDACTED}`,
  ],
  [/(\/media\/)[\w-]{20,}\.[\w-]+/g, `$1${REDACTED}`],
  [/whsec_[\w+/=]+/g, REDACTED],
  [/(\bBearer\s+)[\w.~+/=-]+/gi, `$1${REDACTED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${REDACTED}@`],
]

/** A copy without credentials; the rest is unchanged. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string')
    return SECRET_TEXTS.reduce((text, [pattern, instead]) => text.replace(pattern, instead), value)
  if (Array.isArray(value)) return value.map(redact)
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) && typeof member === 'string' ? REDACTED : redact(member),
    ]),
  )
}
