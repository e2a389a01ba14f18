// Counters of a generator between two reports.

import type { ByteAllowance } from '../../lib/byte-allowance.ts'
import type { WireAnswer } from '../../lib/tus-upload.ts'
import type { GeneratorReport } from './messages.ts'

type Counted = 'arrived' | 'served' | 'failed' | 'retries' | 'breaks' | 'gaveUp' | 'sentBytes' | 'acknowledgedBytes'

const ZERO: Record<Counted, number> = {
  arrived: 0,
  served: 0,
  failed: 0,
  retries: 0,
  breaks: 0,
  gaveUp: 0,
  sentBytes: 0,
  acknowledgedBytes: 0,
}

export class Counts {
  sending = 0
  #numbers = { ...ZERO }
  #latencies: Record<string, number[]> = {}
  #refusals: Record<string, number> = {}
  #lateMs = 0
  readonly #allowance: ByteAllowance | undefined

  constructor(allowance?: ByteAllowance) {
    this.#allowance = allowance
  }

  add(what: Counted, much = 1): void {
    this.#numbers[what] += much
  }

  late(ms: number): void {
    this.#lateMs = Math.max(this.#lateMs, ms)
  }

  answer({ method, status, code, milliseconds }: WireAnswer): void {
    this.#time(method, milliseconds)
    if (code !== undefined) this.#refuse(`${method} ${status} ${code}`)
  }

  call({ name, status, milliseconds }: { name: string; status: number; milliseconds: number }): void {
    this.#time(`portal: ${name}`, milliseconds)
    if (status === 0) this.#refuse(`portal: ${name}: no response`)
    else if (status >= 400) this.#refuse(`portal: ${name} ${status}`)
  }

  /** Everything since the last report. */
  report(): GeneratorReport {
    const report = {
      atMs: Date.now(),
      sending: this.sending,
      lateMs: Math.round(this.#lateMs),
      limited: this.#allowance?.wasReached === true,
      ...this.#numbers,
      latencies: this.#latencies,
      refusals: this.#refusals,
    }
    this.#numbers = { ...ZERO }
    this.#latencies = {}
    this.#refusals = {}
    this.#lateMs = 0
    if (this.#allowance !== undefined) this.#allowance.wasReached = false
    return report
  }

  #time(name: string, milliseconds: number): void {
    const known = this.#latencies[name] ?? []
    known.push(Math.round(milliseconds * 10) / 10)
    this.#latencies[name] = known
  }

  #refuse(what: string): void {
    this.#refusals[what] = (this.#refusals[what] ?? 0) + 1
  }
}
