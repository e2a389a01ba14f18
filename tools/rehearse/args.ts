// What `npm run rehearse` takes on its command line. Everything is bounded: a rehearsal ends by itself.

import { parseArgs } from 'node:util'
import { numberOption, UsageError } from '../lib/usage.ts'
import { quick, SCENARIOS, type Scenario } from './scenarios.ts'

export const USAGE = `npm run rehearse -- --scenario NAME     the worst day, played on this machine
  --scenario NAME      ${SCENARIOS.map(({ name }) => name).join(', ')}
  --quick              a third of the people in a third of the time
  --clients N          people, each with a file                    [of the scenario, at most 20000]
  --minutes M          in which they come                          [of the scenario, at most 240]
  --scale S            factor on file sizes; 1: most have 6 to 30 MiB   [of the scenario]
  --speed S            factor on line speeds                       [of the scenario]
  --storage KIND       local or s3                                 [of the scenario]
  --services N, --workers N, --generators N      processes         [of the scenario, at most 16]
  --seed N             same seed, same people                      [1]
  --out DIR            for NAME.html and NAME.json                 [.cache/rehearsals]
  --url URL            a service that already runs here; no faults then
  --ops-url URL        its operations listener`

export type RehearsalArgs = {
  scenario: Scenario
  seed: number
  outDir: string
  url: string | undefined
  opsUrl: string | undefined
  /** As it was called, for the report. */
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
    throw new UsageError('--url: faults need a service of the rehearsal’s own; take smoke or soak')
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
  if (text !== 'local' && text !== 's3') throw new UsageError(`--storage is local or s3, not ${text}`)
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
