// For how long what was erased is looked through again: a process that was stopped for a while may still write of what it
// had read before, and such writes are removed.

const AGAIN_FOR_MS = 86_400_000
const LOOK_AGAIN_MS = 60_000

type Tombstone = { erasedAt?: string }

export function isYoungTombstone({ erasedAt }: Tombstone, nowMs: number): boolean {
  return erasedAt !== undefined && Date.parse(erasedAt) > nowMs - AGAIN_FOR_MS
}

/** When to look again, Unix milliseconds: soon, then more and more seldom. */
export function lookAgainAtMs({ erasedAt }: Tombstone, nowMs: number): number {
  const ageMs = erasedAt === undefined ? 0 : nowMs - Date.parse(erasedAt)
  return nowMs + Math.max(LOOK_AGAIN_MS, ageMs)
}
