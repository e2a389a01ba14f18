// Which rows run on which stage: fault points; troubles that keep the event log; those that lose it; a disk that is small
// enough to fill.

import { s3Available } from '../../test/support/s3.ts'
import { makeSmallDisk } from '../lib/small-disk.ts'
import type { StoreKind } from './model.ts'
import { POINT_ROWS } from './points.ts'
import type { Group } from './run.ts'
import type { Films } from './stage/films.ts'
import { CLOCK_TROUBLES, SHIFTED_CLOCK } from './troubles/clock.ts'
import { LINE_TROUBLES } from './troubles/line.ts'
import { PROCESS_TROUBLES } from './troubles/processes.ts'
import { REDIS_LOSSES, REDIS_TROUBLES } from './troubles/redis.ts'
import { DISK_TROUBLES, S3_TROUBLES } from './troubles/store.ts'

/** More than the service keeps free. A tmpfs uses memory only for what is written. */
const DISK_BYTES = 900 * 1024 ** 2

export function kindsHere(): StoreKind[] {
  if (s3Available()) return ['local', 's3']
  process.stderr.write('No S3 server is installed: its rows are skipped.\n')
  return ['local']
}

/** Groups with at least one row whose group or name contains `only`. */
export async function* groupsOf(kind: StoreKind, films: Films, only = ''): AsyncGenerator<Group> {
  const all: Group[] = [
    { name: 'fault point', rows: POINT_ROWS, options: { films } },
    {
      name: 'trouble',
      rows: [...LINE_TROUBLES, ...REDIS_TROUBLES, ...S3_TROUBLES, ...CLOCK_TROUBLES],
      options: { films, preload: [SHIFTED_CLOCK] },
    },
    { name: 'cluster', rows: PROCESS_TROUBLES, options: { films, env: { PROCESSES: '2' } } },
    { name: 'loss', rows: REDIS_LOSSES, options: { films }, hasEventLog: false },
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

/** Mounting a tmpfs needs root; without it the rows are skipped, with a message. */
async function* onSmallDisk(rows: Group['rows'], films: Films): AsyncGenerator<Group> {
  const disk = await makeSmallDisk().catch((error: Error) => {
    process.stderr.write(`No tmpfs can be mounted: the rows of a full disk are skipped (${error.message})\n`)
    return undefined
  })
  if (disk === undefined) return
  try {
    await disk.setFree(DISK_BYTES)
    yield { name: 'disk', rows, options: { films, dataDir: disk.dir } }
  } finally {
    await disk.remove()
  }
}
