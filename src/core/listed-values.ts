// Settings with several values in one variable.

/** Values separated by commas, without blanks and empty ones. */
export function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** `name=value` pairs as OpenTelemetry writes them, values in percent-encoding; undefined: malformed. */
export function namedValues(value: string | undefined): Record<string, string> | undefined {
  const values: Record<string, string> = {}
  for (const entry of list(value)) {
    const [, name, encoded] = /^([^=\s]+)\s*=\s*(.*)$/.exec(entry) ?? []
    if (name === undefined || encoded === undefined) return undefined
    try {
      values[name] = decodeURIComponent(encoded)
    } catch {
      return undefined // not percent-encoding
    }
  }
  return values
}

/** The name and the secret of `name:secret`. */
export function splitKey(entry: string): [string, string] {
  const colon = entry.indexOf(':')
  return [entry.slice(0, colon), entry.slice(colon + 1)]
}

/** False for `aaaa…` or `123123…`. */
export function isVaried(secret: string): boolean {
  return new Set(secret).size >= 6
}
