// The command line of `npm run try`.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'

export const USAGE = `npm run try                                          two files made for the occasion
npm run try -- FILE --slot SLOT [--profile PROFILE]   a file of your own
  --url URL        the service, http or https          [http://HOST:PORT]
  --ca FILE        certificates of your own authority, in PEM
  --wait SECONDS   for checks and renditions           [50; with FILE 900]
  --json           print the complete documents at the end
  --keep           do not delete the submission        [on this machine it is always kept]

A service on another machine must consent: it and this tool have the same LOAD_TEST_SECRET in their environment, and API_KEY
is that of a portal for load tests. Webhooks, which could not reach this machine, are not tested then.`

export type TryArgs = {
  /** The caller's own file; undefined: files are made. */
  file: { path: string; slot: string } | undefined
  profile: string
  url: string | undefined
  ca: string | undefined
  keep: boolean
  waitMs: number
  json: boolean
}

export function parseTryArgs(args: readonly string[]): TryArgs {
  const { values, positionals } = parsed(args)
  const [path, ...rest] = positionals
  if (rest.length > 0) throw new UsageError(`One file at a time.\n\n${USAGE}`)
  const { slot } = values
  if (path !== undefined && slot === undefined)
    throw new UsageError(`Which slot is ${path} for? Add --slot, such as --slot teaching_video.\n\n${USAGE}`)
  if (path === undefined && slot !== undefined) throw new UsageError(`--slot needs a file.\n\n${USAGE}`)
  const fallback = path === undefined ? 50 : 900
  return {
    file: path === undefined || slot === undefined ? undefined : { path, slot },
    profile: values.profile ?? 'teacher.K4',
    url: values.url,
    ca: values.ca,
    keep: values.keep ?? false,
    waitMs: numberOption('wait', values.wait, { fallback, min: 1, max: 86_400 }) * 1000,
    json: values.json ?? false,
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        slot: { type: 'string' },
        profile: { type: 'string' },
        url: { type: 'string' },
        ca: { type: 'string' },
        keep: { type: 'boolean' },
        wait: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
