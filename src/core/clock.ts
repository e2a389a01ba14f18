// Time as a dependency, so that tests of deadlines need not wait.

/** Milliseconds since the epoch, UTC. */
export type Clock = { now(): number }

export const systemClock: Clock = { now: () => Date.now() }

/** RFC 3339 in UTC with milliseconds, as used in every document and record. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
