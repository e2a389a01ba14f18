// One large PATCH: what a GiB costs in CPU time, how long it takes, how much memory it needs.

import { setTimeout as delay } from 'node:timers/promises'
import { create, offsetOf, patch, upload } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Metric } from '../model.ts'
import { treeMemory } from '../proc.ts'
import type { Running, Usage } from '../servers/running.ts'

const KIB = 1024
const MIB = 1024 ** 2
const GIB = 1024 ** 3
/** Code that has run before is compiled; a service in production is warm. */
const WARM_UP_BYTES = 256 * MIB
/** What a server does right after its answer belongs to the upload: completion, closing, collecting garbage. */
const AFTERWORK_MS = 400

export function patchMetric(options: {
  bytes: number
  rounds: number
  writeBytes: number | undefined
}): Metric {
  const { bytes, rounds, writeBytes } = options
  return {
    name: 'patch',
    title: `One PATCH of ${bytes / MIB} MiB${writeBytes === undefined ? '' : `, sent in writes of ${writeBytes / KIB} KiB`}`,
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
    measure: async (running) => [{ figures: await measure(running, bytes, writeBytes) }],
  }
}

async function measure(running: Running, bytes: number, writeBytes: number | undefined) {
  const { endpoint, pid } = running
  await upload(endpoint, Math.min(WARM_UP_BYTES, bytes / 4))
  await running.age()
  const wire = await Wire.open(endpoint.port)
  const path = await create(wire, endpoint, bytes)
  await delay(AFTERWORK_MS)
  const before = await running.usage()
  const wall = await patch(wire, endpoint, { path, offset: 0 }, bytes, writeBytes)
  await delay(AFTERWORK_MS)
  const after = await running.usage()
  wire.close()
  const stored = await offsetOf(endpoint, path)
  if (stored !== bytes) throw new Error(`${bytes} bytes were acknowledged, HEAD says ${stored}`)
  return figures(before, after, { gib: bytes / GIB, wall, peakBytes: treeMemory(pid).peakBytes })
}

/** Differences of two readings, per GiB but for the memory. */
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
