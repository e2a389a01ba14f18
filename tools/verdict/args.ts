// The command line of `npm run verdict`.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run verdict     how long a teacher waits for the verdict on an hour of film, and what our worker adds to ffmpeg
  --samples N      films sent to each store, one after the other       [20]
  --minutes N      length of each                                      [60]
  --mib N          size of each, at least                              [1500]
  --backlog N      transcodes that run or wait during the samples      [50]
  --rounds N       transcodes of such a film, each compared with ffmpeg alone; 0: none   [1]
  --store NAME     local or s3                                         [both]
  --json FILE      write all numbers as JSON

Starts its own Redis, service, workers and S3 server; needs twice the film's size in the temporary folder.`

export type StoreName = 'local' | 's3'

export type VerdictArgs = {
  samples: number
  minutes: number
  bytes: number
  backlog: number
  rounds: number
  stores: StoreName[]
  jsonFile: string | undefined
}

/** Throws UsageError. */
export function parseVerdictArgs(args: readonly string[]): VerdictArgs {
  const values = parsed(args)
  const whole = true
  const { store } = values
  if (store !== undefined && store !== 'local' && store !== 's3')
    throw new UsageError(`--store must be local or s3, not ${store}`)
  return {
    samples: numberOption('samples', values.samples, { fallback: 20, min: 0, max: 200, whole }),
    minutes: numberOption('minutes', values.minutes, { fallback: 60, min: 1, max: 60 }),
    bytes: numberOption('mib', values.mib, { fallback: 1500, min: 8, max: 4000 }) * 1024 ** 2,
    backlog: numberOption('backlog', values.backlog, { fallback: 50, min: 0, max: 500, whole }),
    rounds: numberOption('rounds', values.rounds, { fallback: 1, min: 0, max: 20, whole }),
    stores: store === undefined ? ['local', 's3'] : [store],
    jsonFile: values.json,
  }
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = {
    samples: text,
    minutes: text,
    mib: text,
    backlog: text,
    rounds: text,
    json: text,
    store: text,
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
