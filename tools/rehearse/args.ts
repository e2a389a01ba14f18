// The command line of `npm run rehearse`. Everything has a limit, so a rehearsal always ends.

import { parseArgs } from 'node:util'
import type { RedisShape } from '../../test/support/installation.ts'
import { numberOption, UsageError } from '../lib/usage.ts'
import { type Address, parseAddress } from './generator/remote.ts'
import { type Fault, quick, SCENARIOS, type Scenario } from './scenarios.ts'

export const USAGE = `npm run rehearse -- --scenario NAME     the worst day, played on this machine
  --scenario NAME      ${SCENARIOS.map(({ name }) => name).join(', ')}
  --quick              a third of the clients in a third of the time
  --clients N          clients, each with one file                [of the scenario, at most 20000]
  --minutes M          duration of their arrivals                 [of the scenario, at most 240]
  --scale S            factor on file sizes; 1: most have 6 to 30 MiB  [of the scenario]
  --speed S            factor on connection speeds                [of the scenario]
  --storage KIND       local or s3                                [of the scenario]
  --redis KIND         one, sentinel or cluster; of the latter two the primary is killed in the middle [one]
  --services N, --workers N, --generators N      processes        [of the scenario, at most 16]
  --seed N             same seed, same clients and files          [1]
  --out DIR            folder for NAME.html and NAME.json         [.cache/rehearsals]

A running service (--url): no faults are injected, and its store is audited over its API.
  --url URL            http or https. On another machine it must consent: it and this tool have the same LOAD_TEST_SECRET
  --ops-url URL,URL    its operations listeners                   [on this machine: OPS_HOST:OPS_PORT]
  --ca FILE            certificates of your own authority, in PEM
  --max-mbit N         limit of all clients together              [on another machine 100]
  --keep               do not delete what the run has made        [on this machine it is always kept]
  Environment: API_KEY (of a portal for load tests), LOAD_TEST_SECRET. They have no options: command lines are seen by others.

Several machines: one coordinates, the others join it and get its API key; LOAD_TEST_SECRET protects the connection.
  --listen HOST:PORT --remote N     coordinate N generators on other machines (--generators 0: only those)
  --join HOST:PORT                  be one of them; only --ca besides`

export type RehearsalArgs = {
  scenario: Scenario
  seed: number
  outDir: string
  url: string | undefined
  opsUrl: string | undefined
  ca: string | undefined
  /** Of all clients together; undefined: no limit on this machine, and the usual one on another. */
  maxMbit: number | undefined
  keep: boolean
  /** Generators on other machines, and where they connect to. */
  remote: { address: Address; count: number } | undefined
  /** The command line, for the report. */
  command: string
}

export function parseRehearsalArgs(args: readonly string[]): RehearsalArgs {
  const values = parsed(args)
  const row = SCENARIOS.find(({ name }) => name === values.scenario)
  if (row === undefined) throw new UsageError(`${values.scenario ?? 'no'} scenario\n\n${USAGE}`)
  const base = values.quick === true ? quick(row) : row
  const whole = true
  const redis = redisShape(values.redis ?? base.redis ?? 'one')
  const processes = (name: 'services' | 'workers' | 'generators', min = 1) =>
    numberOption(name, values[name], { fallback: base[name], min, max: 16, whole })
  const remote = remoteOf(values)
  const scenario: Scenario = {
    ...base,
    clients: numberOption('clients', values.clients, { fallback: base.clients, min: 4, max: 20_000, whole }),
    minutes: numberOption('minutes', values.minutes, { fallback: base.minutes, min: 0.1, max: 240 }),
    scale: numberOption('scale', values.scale, { fallback: base.scale, min: 0.01, max: 4 }),
    speed: numberOption('speed', values.speed, { fallback: base.speed, min: 0.05, max: 100 }),
    storage: storage(values.storage ?? base.storage),
    redis,
    faults: redis === 'one' ? base.faults : [...base.faults, PRIMARY_LOST],
    services: processes('services'),
    workers: processes('workers'),
    generators: processes('generators', remote === undefined ? 1 : 0),
    ...(values.url === undefined ? {} : { faults: [] }),
  }
  if (values.url !== undefined && base.faults.length > 0)
    throw new UsageError('--url: fault injection needs the rehearsal’s own service; use smoke, stage or soak')
  return {
    scenario,
    seed: numberOption('seed', values.seed, { fallback: 1, min: 0, max: 2 ** 32 - 1, whole }),
    outDir: values.out ?? '.cache/rehearsals',
    url: values.url,
    opsUrl: values['ops-url'],
    ca: values.ca,
    maxMbit:
      values['max-mbit'] === undefined
        ? undefined
        : numberOption('max-mbit', values['max-mbit'], { fallback: 0, min: 0.1, max: 100_000 }),
    keep: values.keep === true,
    remote,
    command: ['npm run rehearse --', ...args].join(' '),
  }
}

/** `--join`: where the coordinator is, and the certificates; undefined: this is not a generator. Throws UsageError. */
export function parseJoinArgs(args: readonly string[]): { address: Address; ca: string | undefined } | undefined {
  const { join, ca, ...others } = parsed(args)
  if (join === undefined) return undefined
  const [more] = Object.keys(others)
  if (more !== undefined) throw new UsageError(`--${more} is for the coordinator, not for a generator that joins`)
  return { address: parseAddress('join', join), ca }
}

function remoteOf({ listen, remote, url }: ReturnType<typeof parsed>): RehearsalArgs['remote'] {
  if (listen === undefined && remote === undefined) return undefined
  if (listen === undefined || remote === undefined || url === undefined)
    throw new UsageError('--listen HOST:PORT, --remote N and --url belong together')
  const count = numberOption('remote', remote, { fallback: 0, min: 1, max: 64, whole: true })
  return { address: parseAddress('listen', listen), count }
}

/** For longer than a fail-over takes; then the server comes back as a replica. */
const PRIMARY_LOST: Fault = { at: 0.6, act: 'redisAway', how: 'kill', forMs: 12_000 }

function redisShape(text: string): RedisShape {
  if (text !== 'one' && text !== 'sentinel' && text !== 'cluster')
    throw new UsageError(`--redis must be one, sentinel or cluster, not ${text}`)
  return text
}

function storage(text: string): 'local' | 's3' {
  if (text !== 'local' && text !== 's3') throw new UsageError(`--storage must be local or s3, not ${text}`)
  return text
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: text,
        clients: text,
        minutes: text,
        scale: text,
        speed: text,
        storage: text,
        redis: text,
        services: text,
        workers: text,
        generators: text,
        seed: text,
        out: text,
        url: text,
        'ops-url': text,
        ca: text,
        'max-mbit': text,
        listen: text,
        remote: text,
        join: text,
        keep: { type: 'boolean' } as const,
        quick: { type: 'boolean' } as const,
      },
    }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
