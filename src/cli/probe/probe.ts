// A probe: looks at the service from another host again and again, keeps what it finds in a file, and delivers it when the
// service can be reached again.

import { isoTime } from '../../core/clock.ts'
import { type Finding, type Findings, readFindings, writeFindings } from './findings-file.ts'
import { ask, type Look, lookAt, type Target } from './look.ts'

/** Shorter ones are no outages: so many looks. */
const LEAST_LOOKS = 3
/** Less is told: somebody has to renew the certificate. */
const CERTIFICATE_DAYS = 7

export type ProbeDeps = {
  target: Target
  /** `name:secret` of PROBE_KEYS. */
  key: string
  /** Findings that are not delivered. */
  file: string
  everyMs: number
  /** Another address: while that cannot be reached either, it is the line of this host. Absent: it is not asked. */
  unless?: Target
  /** This host's clock; its difference from the server's is measured. */
  now: () => number
  say: (words: string) => void
}

export class Probe {
  readonly #deps: ProbeDeps
  #findings: Findings | undefined
  /** The server's clock minus this host's. */
  #offsetMs = 0
  #lastUpMs: number | undefined
  #last = ''

  constructor(deps: ProbeDeps) {
    this.#deps = deps
  }

  /** Looks once, and delivers what waits if the service is there. @returns whether it is */
  async look(): Promise<boolean> {
    const { target, now, file } = this.#deps
    this.#findings ??= await readFindings(file)
    const startedMs = now()
    const look = await lookAt(target)
    if (look.isUp) {
      this.#offsetMs = look.serverMs - (startedMs + now()) / 2
      await this.#isUp(look)
      await this.#deliver()
    } else await this.#isDown(look.reason, startedMs)
    return look.isUp
  }

  async #isUp({ certificateDays }: Extract<Look, { isUp: true }>): Promise<void> {
    const { everyMs } = this.#deps
    const atMs = this.#serverMs()
    this.#lastUpMs = atMs
    this.#tell(
      certificateDays !== undefined && certificateDays < CERTIFICATE_DAYS
        ? `up; its certificate ends in ${Math.floor(certificateDays)} days`
        : 'up',
    )
    const { open, waiting } = this.#known()
    if (open === null) return
    const finding = { ...open, to: isoTime(atMs) }
    const isLong = atMs - Date.parse(open.from) >= LEAST_LOOKS * everyMs
    await this.#keep({ open: null, waiting: isLong ? [...waiting, finding] : waiting })
  }

  async #isDown(reason: string, startedMs: number): Promise<void> {
    const { unless, everyMs } = this.#deps
    if (unless !== undefined && !(await isReachable(unless)))
      return this.#tell(`unknown: this host's own line, ${reason}`)
    this.#tell(`down; ${reason}`)
    if (this.#known().open !== null) return
    const atMs = startedMs + this.#offsetMs
    // It was there at the last look, and died some time after it.
    const isRecent = this.#lastUpMs !== undefined && atMs - this.#lastUpMs < LEAST_LOOKS * everyMs
    const fromMs = isRecent ? (this.#lastUpMs ?? atMs) : atMs
    await this.#keep({ open: { from: isoTime(fromMs), reason } })
  }

  async #deliver(): Promise<void> {
    const { target, key, say } = this.#deps
    for (const finding of this.#known().waiting) {
      const body = JSON.stringify({ outages: [finding] })
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
      const reply = await ask(target, 'v1/outages', { method: 'POST', headers, body }).catch((error: Error) => error)
      const status = reply instanceof Error ? 0 : reply.status
      if (status !== 200 && status !== 400)
        return this.#tell(
          `up; a finding waits, since it was answered ${status === 0 ? 'with nothing' : `HTTP ${status}`}`,
        )
      const { waiting, refused } = this.#known()
      const rest = waiting.filter((one) => one !== finding)
      await this.#keep({ waiting: rest, ...(status === 400 ? { refused: [...refused, finding] } : {}) })
      say(`${status === 200 ? 'delivered' : 'refused by the service, and kept'}: ${inWords(finding)}`)
    }
  }

  #known(): Findings {
    if (this.#findings === undefined) throw new Error('the file of findings has not been read')
    return this.#findings
  }

  async #keep(change: Partial<Findings>): Promise<void> {
    this.#findings = { ...this.#known(), ...change }
    await writeFindings(this.#deps.file, this.#findings)
  }

  #serverMs(): number {
    return this.#deps.now() + this.#offsetMs
  }

  /** Only what is new. */
  #tell(words: string): void {
    if (words !== this.#last) this.#deps.say(words)
    this.#last = words
  }
}

/** Any answer counts: it is the line that is asked for. */
async function isReachable(target: Target): Promise<boolean> {
  return await ask(target, '', { method: 'GET' }).then(
    () => true,
    () => false,
  )
}

function inWords({ from, to, reason }: Finding): string {
  return `${from} to ${to}, ${reason}`
}
