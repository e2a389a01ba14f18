// The ledger as a process remembers it: read anew every few seconds at most, and still there while the store is away.

import type { Logger } from '../../core/logger.ts'
import { withTimeout } from '../../core/with-timeout.ts'
import type { Outage, OutageLedger } from './outage-ledger.ts'

const FRESH_MS = 10_000
/** Nobody waits longer for a store that hangs. */
const PATIENCE_MS = 2000

export class KnownOutages {
  readonly #ledger: Pick<OutageLedger, 'list'>
  readonly #logger: Logger
  #known: Outage[] = []
  #reading: Promise<void> | undefined
  #freshUntilMs = 0

  constructor({ ledger, logger }: { ledger: Pick<OutageLedger, 'list'>; logger: Logger }) {
    this.#ledger = ledger
    this.#logger = logger
  }

  /** All outages, oldest first; without the store the ones that were known last. Never rejects. */
  async all(): Promise<readonly Outage[]> {
    if (performance.now() >= this.#freshUntilMs) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined
      })
      await this.#reading
    }
    return this.#known
  }

  /** The outage that a moment lies in; undefined: none that is known. */
  async at(ms: number): Promise<Outage | undefined> {
    return (await this.all()).find(({ from, to }) => Date.parse(from) <= ms && ms <= Date.parse(to))
  }

  /** The next question reads the ledger. */
  forget(): void {
    this.#freshUntilMs = 0
  }

  async #read(): Promise<void> {
    try {
      this.#known = await withTimeout(this.#ledger.list(), PATIENCE_MS, () => this.#known)
    } catch (err) {
      this.#logger.warn({ err }, 'the outage ledger cannot be read; what was known last is used')
    }
    this.#freshUntilMs = performance.now() + FRESH_MS
  }
}
