// Large PATCHes, one or several at the same time: CPU time, wall time and memory per GiB.
// Several are a separate case: more buffers are alive, so the garbage collector may work much more. So is the first one of a process:
// its code is not compiled yet.

import { setTimeout as delay } from 'node:timers/promises'
import { create, offsetOf, patch, upload } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Metric } from '../model.ts'
import { treeMemory } from '../proc.ts'
import type { Running, Usage } from '../servers/running.ts'

const KIB = 1024
const MIB = 1024 ** 2
const GIB = 1024 ** 3
/** Warm-up: in production the code is already compiled. */
const WARM_UP_BYTES = 256 * MIB
/** Work right after the response counts as part of the upload: completion, closing, garbage collection. */
const AFTERWORK_MS = 400

export type PatchOptions = {
  /** Of all PATCHes together. */
  bytes: number
  rounds: number
  /** See Wire.pour. */
  writeBytes: number | undefined
  /** Concurrent PATCHes, each with its share of the bytes. */
  lanes: number
  /** Without a warm-up, and without the garbage collection of a process that has run for some time. */
  first?: boolean
}

export function patchMetric(options: PatchOptions): Metric {
  const { bytes, rounds, writeBytes, lanes, first = false } = options
  const one = first ? 'First PATCH after a start,' : 'One PATCH'
  const what = `${lanes === 1 ? one : `${lanes} PATCHes at a time, each`} of ${bytes / lanes / MIB} MiB`
  return {
    name: first ? 'first-patch' : lanes === 1 ? 'patch' : 'patches',
    title: `${what}${writeBytes === undefined ? '' : `, sent in writes of ${writeBytes / KIB} KiB`}`,
    note: 'CPU time of the server process and all its children, per GiB; the client, Redis and the S3 server are not in it',
    figures: [
      { key: 'cpu', label: 'CPU s/GiB', digits: 2, better: 'less', charted: true },
      { key: 'user', label: 'user', digits: 2, better: 'less' },
      { key: 'kernel', label: 'kernel', digits: 2, better: 'less' },
      { key: 'wall', label: 'wall s/GiB', digits: 2, better: 'less' },
      { key: 'peakMib', label: 'peak RSS MiB', digits: 0, better: 'less', charted: true },
      { key: 'redis', label: 'Redis CPU s', digits: 3, better: 'less' },
      { key: 's3', label: 'S3 server CPU s', digits: 2, better: 'less' },
    ],
    rounds,
    limitMs: 60_000 + (bytes / GIB) * 60_000,
    suits: ({ tickets }) => !tickets,
    measure: async (running) => [{ figures: await measure(running, options) }],
  }
}

async function measure(running: Running, { bytes, writeBytes, lanes, first = false }: PatchOptions) {
  const { endpoint, pid } = running
  const share = bytes / lanes
  if (!first) {
    await upload(endpoint, Math.min(WARM_UP_BYTES, bytes / 4))
    await running.age()
  }
  const wires = await Promise.all(Array.from({ length: lanes }, () => Wire.open(endpoint.port)))
  const uploads = await Promise.all(
    wires.map(async (wire) => ({ wire, path: await create(wire, endpoint, share), offset: 0 })),
  )
  await delay(AFTERWORK_MS)
  const before = await running.usage()
  const begunMs = performance.now()
  await Promise.all(uploads.map((one) => patch(one.wire, endpoint, one, share, writeBytes)))
  const wall = (performance.now() - begunMs) / 1000
  await delay(AFTERWORK_MS)
  const after = await running.usage()
  for (const { wire, path } of uploads) {
    wire.close()
    const stored = await offsetOf(endpoint, path)
    if (stored !== share) throw new Error(`${share} bytes were acknowledged, but HEAD returned ${stored}`)
  }
  return figures(before, after, { gib: bytes / GIB, wall, peakBytes: treeMemory(pid).peakBytes })
}

/** Differences of two readings, per GiB (except memory). */
export function figures(before: Usage, after: Usage, run: { gib: number; wall: number; peakBytes: number }) {
  const per = (a: number, b: number) => (b - a) / run.gib
  const between = (a: number | null, b: number | null) => (a === null || b === null ? null : per(a, b))
  const user = per(before.server.user, after.server.user)
  const kernel = per(before.server.kernel, after.server.kernel)
  return {
    cpu: user + kernel,
    user,
    kernel,
    wall: run.wall / run.gib,
    peakMib: run.peakBytes / MIB,
    redis: between(before.redisSeconds, after.redisSeconds),
    s3: between(before.s3Seconds, after.s3Seconds),
  }
}
