// The scenarios, one row of data each. Faults happen at shares of the arrival time.

import type { RedisShape } from '../../test/support/installation.ts'

export type Fault = {
  /** Share of the arrival time, in [0, 1]. */
  at: number
} /** kill -9, and started again later. */ & (
  | { act: 'killService'; which: number; backAfterMs: number }
  /** As in a deployment: SIGTERM, wait for the end, start. */
  | { act: 'restartService'; which: number }
  | { act: 'restartWorker'; which: number }
  /** kill -9 of one worker after the other, each started again, until that share of the arrival time. */
  | { act: 'killWorkers'; everyMs: number; until: number }
  /** Cuts all connections at the same time. */
  | { act: 'cutAll' }
  /** `kill`: connections are refused; `freeze`: connections stay open without a response. */
  | { act: 'redisAway'; how: 'kill' | 'freeze'; forMs: number }
  /** Shares of the calls that are answered with 503, and that are delayed by `slowMs`. */
  | { act: 's3Trouble'; refused: number; slow: number; slowMs: number; forMs: number }
  /** Sets the free space from now on; null: unlimited. */
  | { act: 'diskFree'; freeBytes: number | null }
)

export type Scenario = {
  name: string
  /** One sentence for the report. */
  story: string
  storage: 'local' | 's3'
  services: number
  workers: number
  /** Load-generator processes, which run the clients. */
  generators: number
  clients: number
  minutes: number
  arrivals: 'rising' | 'flat'
  /** Factors on file sizes and connection speeds, so that a machine with two cores is not overloaded. */
  scale: number
  speed: number
  /** Time after the last arrival for transfers and verdicts. */
  settleMinutes: number
  faults: Fault[]
  /** Default: one server. */
  redis?: RedisShape
  /** DATA_DIR is on a small file system of its own. */
  smallDisk?: boolean
  /** Limit of memory growth in the second half, MiB per minute and process. */
  growthMibPerMinute?: number
}

const MIB = 1024 ** 2

const ORDINARY: Omit<Scenario, 'name' | 'story' | 'clients' | 'minutes'> = {
  storage: 'local',
  services: 2,
  workers: 1,
  generators: 1,
  arrivals: 'rising',
  scale: 0.1,
  speed: 1.5,
  settleMinutes: 4,
  faults: [],
}

export const SCENARIOS: readonly Scenario[] = [
  {
    ...ORDINARY,
    name: 'smoke',
    story: 'A few teachers; only their connections break.',
    services: 1,
    clients: 24,
    minutes: 0.3,
    faults: [],
  },
  {
    ...ORDINARY,
    name: 'stage',
    story: 'The last minutes before a deadline, on a running installation; whoever runs it injects the faults.',
    clients: 200,
    minutes: 3.5,
    scale: 0.2,
    settleMinutes: 7,
  },
  {
    ...ORDINARY,
    name: 'deadline',
    story: 'The last minutes before a deadline; in the middle, one of two services is killed.',
    clients: 2000,
    minutes: 3.5,
    scale: 0.05,
    speed: 0.3,
    settleMinutes: 7,
    faults: [{ at: 0.5, act: 'killService', which: 0, backAfterMs: 3000 }],
  },
  {
    ...ORDINARY,
    name: 'reconnect-storm',
    story: 'Every connection breaks at the same moment, three times.',
    clients: 300,
    minutes: 1.2,
    speed: 0.4,
    faults: [
      { at: 0.4, act: 'cutAll' },
      { at: 0.7, act: 'cutAll' },
      { at: 0.95, act: 'cutAll' },
    ],
  },
  {
    ...ORDINARY,
    name: 'rolling-restart',
    story: 'A deployment under load: each service and the worker are restarted in turn.',
    clients: 240,
    minutes: 1.2,
    faults: [
      { at: 0.25, act: 'restartService', which: 0 },
      { at: 0.5, act: 'restartService', which: 1 },
      { at: 0.75, act: 'restartWorker', which: 0 },
    ],
  },
  {
    ...ORDINARY,
    name: 'redis-outage',
    story: 'Redis is killed and restarted; later it hangs for some seconds.',
    clients: 240,
    minutes: 1.5,
    faults: [
      { at: 0.3, act: 'redisAway', how: 'kill', forMs: 4000 },
      { at: 0.65, act: 'redisAway', how: 'freeze', forMs: 5000 },
    ],
  },
  {
    ...ORDINARY,
    name: 's3-brownout',
    story:
      'The bucket refuses a third of the calls and delays another third; later it refuses all calls for some seconds.',
    storage: 's3',
    clients: 120,
    minutes: 1.2,
    scale: 0.4,
    speed: 5,
    faults: [
      { at: 0.25, act: 's3Trouble', refused: 0.3, slow: 0.3, slowMs: 1500, forMs: 20_000 },
      { at: 0.7, act: 's3Trouble', refused: 1, slow: 0, slowMs: 0, forMs: 6000 },
    ],
  },
  {
    ...ORDINARY,
    name: 'worker-massacre',
    story: 'Every few seconds one of three workers is killed.',
    workers: 3,
    clients: 120,
    minutes: 1.2,
    faults: [{ at: 0.1, act: 'killWorkers', everyMs: 6000, until: 1 }],
  },
  {
    ...ORDINARY,
    name: 'disk-full',
    story: 'Free disk space gets low, then the disk is full, then space is freed.',
    clients: 160,
    minutes: 1.5,
    smallDisk: true,
    faults: [
      { at: 0.3, act: 'diskFree', freeBytes: 300 * MIB },
      { at: 0.45, act: 'diskFree', freeBytes: 0 },
      { at: 0.55, act: 'diskFree', freeBytes: null },
    ],
  },
  {
    ...ORDINARY,
    name: 'soak',
    story: 'A long run with a constant rate: memory must not grow.',
    clients: 2400,
    minutes: 30,
    arrivals: 'flat',
    growthMibPerMinute: 4,
  },
]

/** A short version: a third of the clients in a third of the time. */
export function quick(scenario: Scenario): Scenario {
  const clients = Math.max(12, Math.round(scenario.clients / 3))
  return { ...scenario, clients, minutes: Math.max(0.3, scenario.minutes / 3) }
}
