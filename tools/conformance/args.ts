// The command line of the suite.
import { parseArgs } from 'node:util'
import type { HarnessOptions } from './harness.ts'

export const usage = `tus 1.0.0 conformance suite

  --url URL             upload creation URL of the server, e.g. http://127.0.0.1:1080/files/
  --header 'Name: x'    sent with every request (repeatable)
  --metadata VALUE      Upload-Metadata of every upload (default: conformance.mp4, video/mp4; '' sends none)
  --body-file FILE      uploads begin with this file's bytes (default: the start of an MP4)
  --size BYTES          length of an ordinary upload, 4096 to 16777216, made even (default 16384)
  --only TEXT           only checks whose section, id or sentence contains TEXT
  --assume EXTENSIONS   test these (comma-separated) even if OPTIONS does not announce them
  --json FILE           also write the report as JSON
  --timeout SECONDS     longest wait for one answer (default 10)
  --takeover SECONDS    longest time to take over from a dead connection (default 30)
  --expiry-wait SECONDS wait at most this long for an upload to expire (default 10)
  --ca FILE             certificates of your own authority, in PEM
  --other-server        the server is not Songngan and cannot consent; you may test it
  --list                print every sentence with its checks and stop
  --help

A Songngan on another machine must consent: it and this tool have the same LOAD_TEST_SECRET in their environment.

Exit code: 0 no MUST is broken, 1 at least one is, 2 the suite could not run.`

export interface CommandLine {
  readonly harness: HarnessOptions
  readonly metadata?: string
  readonly bodyFile?: string
  readonly only?: string
  readonly assume: readonly string[]
  readonly jsonFile?: string
  readonly ca?: string
  /** Not a Songngan: it is not asked for consent. */
  readonly otherServer: boolean
}

/** An invalid command line; the message names the wrong part. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const text = { type: 'string' } as const

/** Returns 'help' or 'list' if one of them is given. Throws UsageError. */
export function parseCommandLine(argv: readonly string[]): CommandLine | 'help' | 'list' {
  const values = readValues(argv)
  if (values.help) return 'help'
  if (values.list) return 'list'
  if (values.url === undefined) throw new UsageError('--url is missing')
  return {
    harness: {
      url: endpoint(values.url),
      headers: headers(values.header ?? []),
      timeoutMs: number(values.timeout, '--timeout', 0.1, 600, 10) * 1000,
      takeoverMs: number(values.takeover, '--takeover', 0.1, 600, 30) * 1000,
      expiryWaitMs: number(values['expiry-wait'], '--expiry-wait', 0, 86_400, 10) * 1000,
      sizeBytes: 2 * Math.trunc(number(values.size, '--size', 4096, 16_777_216, 16_384) / 2),
    },
    assume: (values.assume ?? '').split(',').filter((name) => name !== ''),
    ...(values.metadata === undefined ? {} : { metadata: values.metadata }),
    ...(values['body-file'] === undefined ? {} : { bodyFile: values['body-file'] }),
    ...(values.only === undefined ? {} : { only: values.only }),
    ...(values.json === undefined ? {} : { jsonFile: values.json }),
    ...(values.ca === undefined ? {} : { ca: values.ca }),
    otherServer: values['other-server'] === true,
  }
}

function readValues(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        url: text,
        header: { type: 'string', multiple: true },
        metadata: text,
        'body-file': text,
        size: text,
        only: text,
        assume: text,
        json: text,
        timeout: text,
        takeover: text,
        'expiry-wait': text,
        ca: text,
        'other-server': { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function endpoint(value: string): URL {
  if (!URL.canParse(value)) throw new UsageError(`--url is no URL: ${value}`)
  const url = new URL(value)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new UsageError('--url must be http or https')
  return url
}

function headers(lines: readonly string[]): Record<string, string[]> {
  const result: Record<string, string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1 || /[\r\n]/.test(line)) throw new UsageError(`--header must be 'Name: value', not: ${line}`)
    const name = line.slice(0, colon).trim()
    result[name] = [...(result[name] ?? []), line.slice(colon + 1).trim()]
  }
  return result
}

function number(value: string | undefined, name: string, min: number, max: number, fallback: number): number {
  if (value === undefined) return fallback
  const parsed = Number(value)
  if (value.trim() === '' || !Number.isFinite(parsed) || parsed < min || parsed > max) {
    throw new UsageError(`${name} must be a number from ${min} to ${max}, not: ${value}`)
  }
  return parsed
}
