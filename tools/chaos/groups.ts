// What is run on which stage: fault points, troubles that leave the log of events as it is, those that lose it, and a
// disk that is small enough to be full.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Available } from '../../test/support/s3.ts'
import type { StoreKind } from './model.ts'
import { POINT_ROWS } from './points.ts'
import type { Group } from './run.ts'
import type { Films } from './stage/films.ts'
import { CLOCK_TROUBLES, SHIFTED_CLOCK } from './troubles/clock.ts'
import { LINE_TROUBLES } from './troubles/line.ts'
import { PROCESS_TROUBLES } from './troubles/processes.ts'
import { REDIS_LOSSES, REDIS_TROUBLES } from './troubles/redis.ts'
import { DISK_TROUBLES, S3_TROUBLES } from './troubles/store.ts'

/** Above what the service keeps free for others, and taken by nobody until it is written. */
const DISK_BYTES = 900 * 1024 ** 2

export function kindsHere(): StoreKind[] {
  if (s3Available()) return ['local', 's3']
  process.stderr.write('No S3 server here: nothing is shown of it.\n')
  return ['local']
}

/** Groups with at least one row whose group or name holds `only`. */
export async function* groupsOf(kind: StoreKind, films: Films, only = ''): AsyncGenerator<Group> {
  const all: Group[] = [
    { name: 'fault point', rows: POINT_ROWS, options: { films } },
    {
      name: 'trouble',
      rows: [...LINE_TROUBLES, ...REDIS_TROUBLES, ...S3_TROUBLES, ...CLOCK_TROUBLES],
      options: { films, preload: [SHIFTED_CLOCK] },
    },
    { name: 'cluster', rows: PROCESS_TROUBLES, options: { films, env: { PROCESSES: '2' } } },
    { name: 'loss', rows: REDIS_LOSSES, options: { films }, told: false },
  ]
  for (const group of all) {
    const rows = wanted(group, kind, only)
    if (rows.length > 0) yield { ...group, rows }
  }
  const disk = wanted({ name: 'disk', rows: DISK_TROUBLES, options: { films } }, kind, only)
  if (disk.length > 0) yield* onSmallDisk(disk, films)
}

function wanted({ name, rows }: Group, kind: StoreKind, only: string): Group['rows'] {
  return rows.filter((row) => {
    const own = 'point' in row ? row.point : row.name
    return (row.only ?? kind) === kind && (name.includes(only) || own.includes(only))
  })
}

/** A file system in memory needs root; without, the rows are left out, and it is said. */
async function* onSmallDisk(rows: Group['rows'], films: Films): AsyncGenerator<Group> {
  const dataDir = mkdtempSync(join(tmpdir(), 'songngan-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'songngan-chaos', dataDir])
  } catch (error) {
    process.stderr.write(`No small disk here: nothing is shown of a full one (${(error as Error).message})\n`)
    rmSync(dataDir, { recursive: true })
    return
  }
  try {
    yield { name: 'disk', rows, options: { films, dataDir } }
  } finally {
    execFileSync('umount', ['--lazy', dataDir])
    rmSync(dataDir, { recursive: true })
  }
}
