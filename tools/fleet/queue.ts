// A lane as a queue: jobs run in order of arrival, on a fixed number of slots. Exact for any arrivals; the closed form
// holds for steady traffic only.

/** A seeded random generator (mulberry32), so that a run can be repeated. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * Seconds from arrival to end of each job.
 *
 * @param arrivals ascending, seconds
 * @param serviceOf seconds that the job with this index needs
 */
export function sojourns(
  arrivals: Float64Array,
  slots: number,
  serviceOf: (job: number) => number,
): { ends: Float64Array; seconds: Float64Array } {
  const free = new Float64Array(slots)
  const seconds = new Float64Array(arrivals.length)
  const ends = new Float64Array(arrivals.length)
  for (let job = 0; job < arrivals.length; job++) {
    const arrival = arrivals[job] ?? 0
    const end = Math.max(arrival, free[0] ?? 0) + serviceOf(job)
    replaceLeast(free, end)
    ends[job] = end
    seconds[job] = end - arrival
  }
  return { ends, seconds }
}

/** `free` is a binary heap of the times at which slots become free: replaces its root and restores the heap order. */
function replaceLeast(free: Float64Array, value: number): void {
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    if (left >= free.length) break
    const right = left + 1
    const least = right < free.length && (free[right] ?? 0) < (free[left] ?? 0) ? right : left
    if ((free[least] ?? 0) >= value) break
    free[at] = free[least] ?? 0
    at = least
  }
  free[at] = value
}

/** The p-quantile of values, p from 0 to 1; 0 if there are none. */
export function quantile(values: Float64Array, p: number): number {
  const sorted = values.toSorted()
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 0
}

/** Mean seconds in an M/M/c queue (Erlang C), for comparison. */
export function erlangSeconds(perSecond: number, serviceSeconds: number, slots: number): number {
  const load = perSecond * serviceSeconds
  let inverse = 1
  for (let n = 1; n <= slots; n++) inverse = 1 + (inverse * n) / load
  const blocked = 1 / inverse
  const waits = blocked / (1 - (load / slots) * (1 - blocked))
  return (waits * serviceSeconds) / (slots - load) + serviceSeconds
}
