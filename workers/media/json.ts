// Reads JSON that a tool printed about a hostile file: every field may be missing, of another type, or out of range.

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function stringOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** A finite number, also if the tool prints it as text (`"12.5"`); `"N/A"` is null. */
export function numberOf(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'string') return null
  const number = typeof value === 'number' ? value : Number.parseFloat(value)
  return Number.isFinite(number) ? number : null
}

/** `"30000/1001"` or `"4:3"`; null for `0/0`, zero and anything else. */
export function ratioOf(value: unknown): { num: number; den: number } | null {
  const match = typeof value === 'string' ? /^(\d+)[/:](\d+)$/.exec(value) : null
  const num = Number(match?.[1] ?? 0)
  const den = Number(match?.[2] ?? 0)
  return num > 0 && den > 0 ? { num, den } : null
}
