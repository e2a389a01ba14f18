// The output: numbered steps, ✓ and ✗, and one status line at the bottom.

import type { Writable } from 'node:stream'

export class Page {
  readonly #out: Writable & { isTTY?: boolean }
  #step = 0
  #passing = ''
  /** Number of ✗. */
  failures = 0

  constructor(out: Writable & { isTTY?: boolean }) {
    this.#out = out
  }

  step(title: string): void {
    this.#step += 1
    this.line()
    this.line(this.#bold(`${this.#step}  ${title}`))
  }

  ok(text: string): void {
    this.line(`   ${this.#colour(32, '✓')} ${text}`)
  }

  fail(text: string): void {
    this.failures += 1
    this.line(`   ${this.#colour(31, '✗')} ${text}`)
  }

  /** One of the two. */
  check(holds: boolean, text: string, otherwise = text): void {
    if (holds) this.ok(text)
    else this.fail(otherwise)
  }

  note(text: string): void {
    this.line(`     ${text}`)
  }

  line(text = ''): void {
    if (this.#passing !== '') this.#out.write('\r\u001b[K')
    this.#passing = ''
    this.#out.write(`${text}\n`)
  }

  /** Shown until the next line; only in a terminal. */
  passing(text: string): void {
    if (this.#out.isTTY !== true) return
    this.#out.write(`\r\u001b[K     ${text}`)
    this.#passing = text
  }

  #bold(text: string): string {
    return this.#out.isTTY === true ? `\u001b[1m${text}\u001b[0m` : text
  }

  #colour(code: number, text: string): string {
    return this.#out.isTTY === true ? `\u001b[${code}m${text}\u001b[0m` : text
  }
}
