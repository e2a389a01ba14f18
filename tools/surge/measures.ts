// Counters of a surge.

import type { WireAnswer } from '../lib/tus-upload.ts'

/** Milliseconds; null if nothing was measured. */
export type Spread = {
  count: number
  p50: number | null
  p95: number | null
  p99: number | null
  max: number | null
}

/** Nearest rank: the smallest measurement that at least this share does not exceed. */
export function spreadOf(milliseconds: readonly number[]): Spread {
  const sorted = [...milliseconds].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? null }
}

export class Measures {
  readonly #latencies = new Map<string, number[]>()
  readonly #refusals = new Map<string, number>()
  arrived = 0
  sending = 0
  served = 0
  failed = 0
  retries = 0
  cuts = 0
  sentBytes = 0
  /** Delay of this process at each arrival; if it is high, the measurements show this tool, not the service. */
  readonly lateness: number[] = []

  time(name: string, milliseconds: number): void {
    const known = this.#latencies.get(name)
    if (known === undefined) this.#latencies.set(name, [milliseconds])
    else known.push(milliseconds)
  }

  answer({ method, status, code, milliseconds }: WireAnswer): void {
    this.time(method, milliseconds)
    if (code !== undefined) this.#refuse(`${method} ${status} ${code}`)
  }

  call({ name, status, milliseconds }: { name: string; status: number; milliseconds: number }): void {
    this.time(`portal: ${name}`, milliseconds)
    if (status === 0) this.#refuse(`portal: ${name}: no response`)
    else if (status >= 400) this.#refuse(`portal: ${name} ${status}`)
  }

  /** Responses of 400 and more, by request, status and code; including those that a retry resolved. */
  refusals(): Record<string, number> {
    return Object.fromEntries([...this.#refusals].sort())
  }

  spreads(names: readonly string[]): Record<string, Spread> {
    return Object.fromEntries(names.map((name) => [name, spreadOf(this.#latencies.get(name) ?? [])]))
  }

  #refuse(what: string): void {
    this.#refusals.set(what, (this.#refusals.get(what) ?? 0) + 1)
  }
}
