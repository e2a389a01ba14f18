// The plan as table rows.

import type { Plan } from './plan.ts'
import type { Simulated } from './simulate.ts'

const integer = (value: number) => Math.round(value).toLocaleString('en')
const bytes = (value: number) => {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3))
  return `${(value / 1000 ** at).toFixed(at > 2 ? 1 : 0)} ${units[at]}`
}

/** Rows of name and value. */
export function planRows(plan: Plan, simulated: Simulated): [string, string][] {
  const { peak, service, validate, media, redis, bucket, money } = plan
  const cash = (value: number) => `${integer(value)} ${money.currency}`
  return [
    ['teachers', integer(plan.teachers)],
    ['uploads, bytes', `${integer(plan.uploads)}, ${bytes(plan.bytes)}`],
    ['peak: creations, files completed', `${integer(peak.createsPerSecond)}/s, ${integer(peak.completedPerSecond)}/s`],
    [
      'peak: bytes, uploads in progress',
      `${bytes(peak.bytesPerSecond)}/s (${((peak.bytesPerSecond * 8) / 1e9).toFixed(0)} Gbit/s), ${integer(peak.openUploads)}`,
    ],
    [
      'services: busy CPUs, processes, machines',
      `${service.cpu.toFixed(0)}, ${integer(service.receivers)}, ${service.machines}`,
    ],
    ['services: total memory', bytes(service.memoryBytes)],
    ['validate: CPUs, slots', `${validate.cores}, ${validate.slots}`],
    ['inspect and transcode: CPU hours, machines', `${integer(media.cpuHours)}, ${media.machines}`],
    ['Redis: round trips at the peak, CPUs', `${integer(redis.tripsPerSecond)}/s, ${redis.cores.toFixed(2)}`],
    [
      'bucket: writes and reads at the peak',
      `${integer(bucket.writesPerSecond)}/s, ${integer(bucket.readsPerSecond)}/s`,
    ],
    [
      'bucket: total writes and reads, bytes stored',
      `${integer(bucket.writes)}, ${integer(bucket.reads)}, ${bytes(bucket.storedBytes)}`,
    ],
    ['egress to viewers', bytes(plan.egressBytes)],
    [
      'simulated: verdict p50, p95, p99, longest',
      Object.values(simulated.verdictSeconds)
        .map((s) => `${s.toFixed(1)} s`)
        .join(', '),
    ],
    [
      'simulated: playable p50, p95, longest',
      Object.values(simulated.readyHours)
        .map((h) => `${h.toFixed(1)} h`)
        .join(', '),
    ],
    ['simulated: last rendition after the deadline', `${simulated.drainedHours.toFixed(1)} h`],
    ['cost: machines of the evening', cash(money.evening)],
    ['cost: inspect and transcode', cash(money.media)],
    ['cost: calls to the bucket', cash(money.calls)],
    ['cost: storage', cash(money.storage)],
    ['cost: storage, closed after the decision', cash(money.storageClosed)],
    ['cost: egress', cash(money.egress)],
  ]
}
