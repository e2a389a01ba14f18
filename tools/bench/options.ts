// The command line of the bench.

import { parseArgs } from 'node:util'
import { RATES, type RateName } from './metrics/rates.ts'
import type { Store } from './model.ts'

export const METRICS = [
  'patch',
  'first-patch',
  'patches',
  'rates',
  's3-calls',
  'take-over',
  'slow',
  'on-record',
] as const
export type MetricName = (typeof METRICS)[number]

export const USAGE = `npm run bench -- [options]

Compares Songngan with bare node:http, stock Fastify + @tus/server, and any server you name, in one run on this
machine: each measurement on a fresh server, rounds interleaved, medians.

  --server 'NAME=COMMAND'  another tus server, e.g. --server 'tusd=tusd -host 127.0.0.1 -port {port}
                           -upload-dir {dir} -base-path /files/'; {bucket} and {endpoint} stand for an S3 server
                           (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION are set); may be repeated;
                           uploads are made at /files/
  --build 'NAME=FOLDER'    another checkout of this project, to see the effect of a change; may be repeated
  --only LIST              some of: ${METRICS.join(' ')}; of rates also: ${RATES.join(' ')}
  --among LIST             only servers whose name (or "NAME STORE") is in the list
  --stores LIST            local,s3 (default both; s3 needs versitygw or S3_TEST_ENDPOINT)
  --traced                 also Songngan with traces of every upload, sent to a collector that keeps none
  --quick                  small sizes, one round, no first-patch: two to four minutes
  --rounds N               rounds of patch, first-patch, patches, rates and take-over
  --bytes SIZE             size of the PATCH, e.g. 1GiB, 64MiB
  --writes SIZE            the client sends the PATCH in writes of this size, one at a time, e.g. 16KiB (default: as
                           fast as the server accepts them)
  --slow-clients N         clients of the metric slow (default 2000)
  --processes N            PROCESSES of Songngan (default 1)
  --minutes N              no new round begins after this long (default 7); every metric has had its first
  --dir FOLDER             where servers keep their data (default: the system's folder for temporary files)
  --json FILE              also write everything as JSON
  --chart FILE             also draw a chart as SVG
  --help`

export type Options = {
  servers: string[]
  builds: string[]
  metrics: MetricName[]
  rates: RateName[]
  among: string[] | undefined
  stores: Store[]
  quick: boolean
  traced: boolean
  patchBytes: number
  patchRounds: number
  patchesRounds: number
  writeBytes: number | undefined
  rateRounds: number
  rateSeconds: number
  takeOverRounds: number
  slowClients: number
  slowSeconds: number
  fastBytes: number
  recordLevels: number[]
  processes: number
  limitMs: number
  dir: string | undefined
  json: string | undefined
  chart: string | undefined
}

/** An invalid command line; the message names the wrong part. */
export class UsageError extends Error {}

const MIB = 1024 ** 2
const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true } as const

/** Returns 'help' where that is asked for. Throws UsageError. */
export function parseOptions(argv: readonly string[]): Options | 'help' {
  const values = read(argv)
  if (values.help === true) return 'help'
  const { quick = false } = values
  const only = list(values.only)
  const rates = RATES.filter((name) => only === undefined || only.includes('rates') || only.includes(name))
  // Small first PATCHes show the compiler, not the upload path.
  const byDefault = (name: MetricName) => !(quick && name === 'first-patch')
  const metrics = METRICS.filter((name) =>
    name === 'rates' ? rates.length > 0 : (only?.includes(name) ?? byDefault(name)),
  )
  const strange = only?.find((name) => !([...METRICS, ...RATES] as string[]).includes(name))
  if (strange !== undefined) throw new UsageError(`--only: unknown metric ${strange}`)
  const stores = (list(values.stores) ?? ['local', 's3']).map((name): Store => {
    if (name !== 'local' && name !== 's3') throw new UsageError(`--stores must be local or s3, not ${name}`)
    return name
  })
  const rounds = (normal: number) => whole(values.rounds, '--rounds', 1, 50) ?? (quick ? 1 : normal)
  return {
    servers: values.server ?? [],
    builds: values.build ?? [],
    metrics,
    rates,
    stores,
    quick,
    traced: values.traced === true,
    among: list(values.among),
    patchBytes: size(values.bytes, '--bytes', 4 * MIB, 8 * 1024 * MIB) ?? (quick ? 128 : 1024) * MIB,
    patchRounds: rounds(5),
    patchesRounds: rounds(2),
    writeBytes: size(values.writes, '--writes', 1024, MIB),
    rateRounds: rounds(2),
    rateSeconds: quick ? 0.4 : 1.5,
    takeOverRounds: rounds(1),
    slowClients: whole(values['slow-clients'], '--slow-clients', 1, 20_000) ?? (quick ? 200 : 2000),
    slowSeconds: quick ? 3 : 10,
    fastBytes: (quick ? 64 : 256) * MIB,
    recordLevels: quick ? [1000, 10_000] : [1000, 10_000, 100_000],
    processes: whole(values.processes, '--processes', 1, 64) ?? 1,
    limitMs: (whole(values.minutes, '--minutes', 1, 600) ?? 7) * 60_000,
    dir: values.dir,
    json: values.json,
    chart: values.chart,
  }
}

function read(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        server: texts,
        build: texts,
        only: text,
        among: text,
        writes: text,
        stores: text,
        rounds: text,
        bytes: text,
        'slow-clients': text,
        processes: text,
        minutes: text,
        dir: text,
        json: text,
        chart: text,
        quick: { type: 'boolean' },
        traced: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function list(value: string | undefined): string[] | undefined {
  return value?.split(',').map((item) => item.trim())
}

function whole(value: string | undefined, name: string, min: number, max: number): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || value.trim() === '' || number < min || number > max)
    throw new UsageError(`${name} must be an integer from ${min} to ${max}, not: ${value}`)
  return number
}

const UNITS: Record<string, number> = { KiB: 1024, MiB: MIB, GiB: 1024 * MIB }

/** Whole multiples of `min`. */
function size(value: string | undefined, name: string, min: number, max: number): number | undefined {
  if (value === undefined) return undefined
  const [, amount, unit = ''] = /^(\d+)([KMG]iB)$/.exec(value) ?? []
  const bytes = Number(amount) * (UNITS[unit] ?? Number.NaN)
  if (!(bytes >= min && bytes <= max && bytes % min === 0))
    throw new UsageError(`${name} must be a size such as 16KiB, 64MiB, 1GiB, not: ${value}`)
  return bytes
}
