// The command line of `npm run surge`. Everything has a limit, so that the tool always ends.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run surge -- [--clients 200] [--minutes 1]     a deadline day in small, against a service on this machine
  --clients N          uploads, each with a submission of its own      [200, at most 5000]
  --minutes M          duration of their arrivals, at a rising rate   [1, at most 60]
  --seed N             same seed, same files, arrivals and cuts        [1]
  --mbit N             upload speed of each client                     [unlimited]
  --max-mib N          largest file; most have 4 to 25 MiB             [40]
  --settle-minutes M   time to finish after the last arrival           [5, at most 60]
  --url URL            the service, on this machine                    [http://HOST:PORT]
  --ops-url URL        its metrics                                     [http://OPS_HOST:OPS_PORT]
  --json FILE          write all numbers as JSON`

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
    jsonFile: values.json,
  }
}

const speed = { fallback: 0, min: 0.05, max: 10_000 }
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
        json: text,
      },
    }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
