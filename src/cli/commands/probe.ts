// `probe`: runs on another host and looks at the service from there. It needs no installation, only an address and a key.

import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { isoTime } from '../../core/clock.ts'
import { loadProbeKey } from '../../core/config.ts'
import { type CommandAlone, flag, text, textOf } from '../command.ts'
import { EXIT, usageError } from '../errors.ts'
import type { Target } from '../probe/look.ts'
import { Probe } from '../probe/probe.ts'
import { durationMs } from '../values.ts'

export const probe: CommandAlone = {
  name: 'probe',
  takes: 'URL [--file FILE] [--every 10s] [--ca FILE] [--unless URL] [--once]',
  summary: 'looks at the service from another host, and files the outages that it sees into the ledger',
  help: [
    'URL           of the service as people reach it, through balancer and TLS: https://upload.example',
    '--file FILE   findings that are not delivered yet [./songngan-probe.json]',
    '--every TIME  how often it looks [10s]; three looks in vain are an outage',
    '--ca FILE     authorities besides the well-known ones, PEM',
    '--unless URL  another address; while that cannot be reached either, it is the line of this host, and no outage',
    '--once        one look: exit code 0 if it is there, 1 if not',
    'PROBE_KEY in the environment is the name:secret of this probe, one of PROBE_KEYS of the services. It runs until it is ended;',
    'what it could not deliver by then it delivers when it is started again. It needs neither Redis nor the store.',
  ],
  options: { file: text, every: text, ca: text, unless: text, once: flag },
  prepareAlone(positionals, values) {
    const [address, ...more] = positionals
    if (address === undefined || more.length > 0) throw usageError('probe URL: one address is required')
    const url = addressIn(address, 'URL')
    const unless = textOf(values, 'unless')
    const unlessUrl = unless === undefined ? undefined : addressIn(unless, '--unless')
    const everyMs = durationMs(textOf(values, 'every') ?? '10s', '--every')
    const ca = textOf(values, 'ca')
    const file = textOf(values, 'file') ?? 'songngan-probe.json'
    return async (say) => {
      const key = loadProbeKey()
      const target: Target = { url, ...(ca === undefined ? {} : { ca: await readFile(ca, 'utf8') }) }
      const looking = new Probe({
        target,
        key,
        file,
        everyMs,
        ...(unlessUrl === undefined ? {} : { unless: { url: unlessUrl } }),
        now: () => Date.now(),
        say: (words) => say(`${isoTime(Date.now())} ${words}`),
      })
      if (values['once'] === true) return (await looking.look()) ? EXIT.done : EXIT.failed
      await looking.look()
      for (;;) {
        const startedMs = performance.now()
        // A full disk ends no probe: it tells, and goes on.
        await looking.look().catch((error: unknown) => say(`${isoTime(Date.now())} ${String(error)}`))
        await pause(Math.max(0, everyMs - (performance.now() - startedMs)))
      }
    }
  },
}

function addressIn(given: string, what: string): URL {
  const isUrl = URL.canParse(given) && ['http:', 'https:'].includes(new URL(given).protocol)
  if (!isUrl) throw usageError(`${what}: "${given}" is not an address with http: or https:`)
  return new URL(given)
}
