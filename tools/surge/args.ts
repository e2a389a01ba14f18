// The command line of `npm run surge`. Everything has a limit, so that the tool always ends.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run surge -- [--clients 200] [--minutes 1]     a deadline day in small, against a running service
  --clients N          uploads, each with a submission of its own      [200, at most 5000]
  --minutes M          duration of their arrivals, at a rising rate   [1, at most 60]
  --seed N             same seed, same files, arrivals and cuts        [1]
  --mbit N             upload speed of each client                     [unlimited]
  --max-mib N          largest file; most have 4 to 25 MiB             [40]
  --settle-minutes M   time to finish after the last arrival           [5, at most 60]
  --url URL            the service, http or https                      [http://HOST:PORT]
  --ops-url URL,URL    its metrics                                     [on this machine http://OPS_HOST:OPS_PORT]
  --ca FILE            certificates of your own authority, in PEM
  --max-mbit N         limit of all clients together                   [on another machine 100]
  --keep               do not delete what the run has made             [on this machine it is always kept]
  --json FILE          write all numbers as JSON

A service on another machine must consent: it and this tool have the same LOAD_TEST_SECRET in their environment, and API_KEY
is that of a portal for load tests.`

export type SurgeArgs = {
  clients: number
  minutes: number
  seed: number
  /** Of each client; undefined: no limit. */
  bytesPerSecond: number | undefined
  maxFileBytes: number
  settleMs: number
  url: string | undefined
  opsUrl: string | undefined
  ca: string | undefined
  /** Of all clients together; undefined: no limit on this machine, and the usual one on another. */
  maxMbit: number | undefined
  keep: boolean
  jsonFile: string | undefined
}

const MIB = 1024 * 1024

export function parseSurgeArgs(args: readonly string[]): SurgeArgs {
  const values = parsed(args)
  const whole = true
  const mbit = values.mbit === undefined ? undefined : numberOption('mbit', values.mbit, speed)
  return {
    clients: numberOption('clients', values.clients, { fallback: 200, min: 1, max: 5000, whole }),
    minutes: numberOption('minutes', values.minutes, { fallback: 1, min: 0.05, max: 60 }),
    seed: numberOption('seed', values.seed, { fallback: 1, min: 0, max: 2 ** 32 - 1, whole }),
    bytesPerSecond: mbit === undefined ? undefined : (mbit * 1_000_000) / 8,
    maxFileBytes: numberOption('max-mib', values['max-mib'], { fallback: 40, min: 2, max: 1024 }) * MIB,
    settleMs: numberOption('settle-minutes', values['settle-minutes'], settle) * 60_000,
    url: values.url,
    opsUrl: values['ops-url'],
    ca: values.ca,
    maxMbit: values['max-mbit'] === undefined ? undefined : numberOption('max-mbit', values['max-mbit'], total),
    keep: values.keep === true,
    jsonFile: values.json,
  }
}

const speed = { fallback: 0, min: 0.05, max: 10_000 }
const total = { fallback: 0, min: 0.1, max: 100_000 }
const settle = { fallback: 5, min: 0.1, max: 60 }

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        clients: text,
        minutes: text,
        seed: text,
        mbit: text,
        'max-mib': text,
        'settle-minutes': text,
        url: text,
        'ops-url': text,
        ca: text,
        'max-mbit': text,
        keep: { type: 'boolean' } as const,
        json: text,
      },
    }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
