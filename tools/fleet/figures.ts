// Measured costs and assumptions, each with its source, from one data file: put new measurements there.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type File = { name: string; kind: 'video' | 'pdf'; count: number; bytes: number; minutes: number }
export type Line = { mbps: number; share: number }

type Sourced<T> = { value: T; source: string }
type Group = Record<string, Sourced<unknown>>
type Plain<G> = { [K in keyof G]: G[K] extends Sourced<infer T> ? T : never }

type Raw = {
  cost: Record<
    | 'receiveCpuSecondsPerGiB'
    | 'createCpuSeconds'
    | 'apiCpuSeconds'
    | 'apiCallsPerUpload'
    | 'redisTripsPerCreate'
    | 'redisTripsPerPart'
    | 'redisTripsPerApiCall'
    | 'redisTripsPerSecondPerCore'
    | 'partBytes'
    | 's3CallsPerLargeUpload'
    | 'verdictCpuSeconds'
    | 'verdictSeconds'
    | 'verdictS3Calls'
    | 'inspectCpuSecondsPerGiB'
    | 'remuxCpuSecondsPerGiB'
    | 'encodeCpuSecondsPerMediaMinute'
    | 'pageCpuSeconds'
    | 'memoryBytesPerReceiver'
    | 'connectionsPerReceiver',
    Sourced<number>
  >
  people: {
    filesPerTeacher: Sourced<File[]>
    shareEncoded: Sourced<number>
    lines: Sourced<Line[]>
    broken: Sourced<number>
    views: Sourced<number>
  }
  plan: Record<
    'utilization' | 'coresPerMachine' | 'networkGbpsPerMachine' | 'transcodeHours' | 'validateSlotsPerCore',
    Sourced<number>
  >
  money: { currency: Sourced<string> } & Record<
    | 'perCoreHour'
    | 'perGiBMonth'
    | 'perThousandWrites'
    | 'perThousandReads'
    | 'perGiBEgress'
    | 'hoursUp'
    | 'monthsKept'
    | 'monthsKeptClosed',
    Sourced<number>
  >
}

export type Figures = { [G in keyof Raw]: Plain<Raw[G]> }

/** The figures without their sources. */
export function loadFigures(path = join(import.meta.dirname, 'figures.json')): Figures {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as Raw
  const groups = Object.entries(raw).map(([name, group]) => [name, values(group as Group)])
  return Object.fromEntries(groups) as Figures
}

function values(group: Group): Record<string, unknown> {
  return Object.fromEntries(Object.entries(group).map(([name, { value }]) => [name, value]))
}

/** Name, value and source of every figure, for a table. */
export function figureRows(path = join(import.meta.dirname, 'figures.json')): [string, string, string][] {
  const raw = JSON.parse(readFileSync(path, 'utf8')) as Raw
  return Object.values(raw).flatMap((group) =>
    Object.entries(group as Group).map(([name, { value, source }]): [string, string, string] => [
      name,
      JSON.stringify(value),
      source,
    ]),
  )
}
