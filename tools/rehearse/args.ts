// The command line of `npm run rehearse`. Everything has a limit, so a rehearsal always ends.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'
import { quick, SCENARIOS, type Scenario } from './scenarios.ts'

export const USAGE = `npm run rehearse -- --scenario NAME     the worst day, played on this machine
  --scenario NAME      ${SCENARIOS.map(({ name }) => name).join(', ')}
  --quick              a third of the clients in a third of the time
  --clients N          clients, each with one file                [of the scenario, at most 20000]
  --minutes M          duration of their arrivals                 [of the scenario, at most 240]
  --scale S            factor on file sizes; 1: most have 6 to 30 MiB  [of the scenario]
  --speed S            factor on connection speeds                [of the scenario]
  --storage KIND       local or s3                                [of the scenario]
  --services N, --workers N, --generators N      processes        [of the scenario, at most 16]
  --seed N             same seed, same clients and files          [1]
  --out DIR            folder for NAME.html and NAME.json         [.cache/rehearsals]
  --url URL            use a running service on this machine, without fault injection
  --ops-url URL        its operations listener`

export type RehearsalArgs = {
  scenario: Scenario
  seed: number
  outDir: string
  url: string | undefined
  opsUrl: string | undefined
  /** The command line, for the report. */
  command: string
}

export function parseRehearsalArgs(args: readonly string[]): RehearsalArgs {
  const values = parsed(args)
  const row = SCENARIOS.find(({ name }) => name === values.scenario)
  if (row === undefined) throw new UsageError(`${values.scenario ?? 'no'} scenario\n\n${USAGE}`)
  const base = values.quick === true ? quick(row) : row
  const whole = true
  const processes = (name: 'services' | 'workers' | 'generators') =>
    numberOption(name, values[name], { fallback: base[name], min: 1, max: 16, whole })
  const scenario: Scenario = {
    ...base,
    clients: numberOption('clients', values.clients, { fallback: base.clients, min: 4, max: 20_000, whole }),
    minutes: numberOption('minutes', values.minutes, { fallback: base.minutes, min: 0.1, max: 240 }),
    scale: numberOption('scale', values.scale, { fallback: base.scale, min: 0.01, max: 4 }),
    speed: numberOption('speed', values.speed, { fallback: base.speed, min: 0.05, max: 100 }),
    storage: storage(values.storage ?? base.storage),
    services: processes('services'),
    workers: processes('workers'),
    generators: processes('generators'),
    ...(values.url === undefined ? {} : { faults: [] }),
  }
  if (values.url !== undefined && base.faults.length > 0)
    throw new UsageError('--url: fault injection needs the rehearsal’s own service; use smoke or soak')
  return {
    scenario,
    seed: numberOption('seed', values.seed, { fallback: 1, min: 0, max: 2 ** 32 - 1, whole }),
    outDir: values.out ?? '.cache/rehearsals',
    url: values.url,
    opsUrl: values['ops-url'],
    command: ['npm run rehearse --', ...args].join(' '),
  }
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
        services: text,
        workers: text,
        generators: text,
        seed: text,
        out: text,
        url: text,
        'ops-url': text,
        quick: { type: 'boolean' } as const,
      },
    }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  }
}
