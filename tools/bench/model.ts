// Types of the bench: metrics, servers (contenders), and results (samples).

import type { Running } from './servers/running.ts'

export type Store = 'local' | 's3'

/** Folder, port and services of a server under test; passed to a contender's `command`. */
export type Place = {
  port: number
  opsPort: number
  /** A directory of its own. */
  dir: string
  redisUrl: string
  s3?: {
    endpoint: string
    bucket: string
    region: string
    /** Credentials and region, as the AWS SDKs read them. */
    env: Record<string, string>
  }
}

export type Command = { program: string; args: string[]; env: Record<string, string> }

export type Contender = {
  name: string
  kind: 'songngan' | 'stock' | 'bare' | 'given'
  store: Store
  /** Only Songngan: whether uploads need a ticket. */
  tickets: boolean
  /** Whether the bytes of an answered PATCH survive a power failure. */
  durable: 'yes' | 'no' | 'not known'
  command(place: Place): Command
}

export type Figure = {
  key: string
  label: string
  digits: number
  /** The ratio to a reference: how many times more (`less` is better) or how many times as fast. */
  better: 'less' | 'more'
  /** Has a panel in the chart. */
  charted?: boolean
}

/** null: not measured. */
export type Figures = Record<string, number | null>

export type Measured = { variant?: string; figures: Figures }

export type Metric = {
  name: string
  title: string
  /** What the numbers mean, one line. */
  note: string
  /** The first is the main one, used for ratios and the chart. */
  figures: Figure[]
  rounds: number
  /** Time limit of one measurement; then it has failed. */
  limitMs: number
  suits(contender: Contender): boolean
  /** S3 calls are counted: the server reaches S3 through a proxy. */
  countsCalls?: boolean
  measure(running: Running): Promise<Measured[]>
}

export type Sample = Measured & { metric: string; name: string; store: Store; round: number }

export type Failure = { metric: string; name: string; store: Store; round: number; message: string }
