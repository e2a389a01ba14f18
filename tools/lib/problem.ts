// Reads problem documents (RFC 9457) of this API.

/** The `code` of a problem document; undefined for a proxy's page or an empty body. */
export function problemCode(body: string): string | undefined {
  const { code } = parsed(body)
  return typeof code === 'string' ? code : undefined
}

/** Code, message in both languages, limit and actual value; other bodies unchanged, shortened. */
export function problemInWords(body: string): string {
  const { code, message, limit, actual } = parsed(body)
  const { th, en } = (message ?? {}) as { th?: string; en?: string }
  if (typeof code !== 'string') return body.slice(0, 200)
  const measures = [
    limit === undefined ? '' : `limit ${shown(limit)}`,
    actual === undefined ? '' : `found ${shown(actual)}`,
  ].filter((part) => part !== '')
  return `${code}: ${th} ${en}${measures.length > 0 ? ` (${measures.join(', ')})` : ''}`
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : String(value)
}

function parsed(body: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {} // not from this API
  }
}
