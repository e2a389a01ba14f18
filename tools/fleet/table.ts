// The plan in words.

import type { Plan } from './plan.ts'
import type { Simulated } from './simulate.ts'

const whole = (value: number) => Math.round(value).toLocaleString('en')
const bytes = (value: number) => {
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  const at = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3))
  return `${(value / 1000 ** at).toFixed(at > 2 ? 1 : 0)} ${units[at]}`
}

/** Rows of `what | how much`. */
export function planRows(plan: Plan, simulated: Simulated): [string, string][] {
  const { peak, service, validate, media, redis, bucket, money } = plan
  const cash = (value: number) => `${whole(value)} ${money.currency}`
  return [
    ['teachers', whole(plan.teachers)],
    ['uploads, bytes', `${whole(plan.uploads)}, ${bytes(plan.bytes)}`],
    ['peak: creations, files whole', `${whole(peak.createsPerSecond)}/s, ${whole(peak.wholePerSecond)}/s`],
    [
      'peak: bytes, uploads under way',
      `${bytes(peak.bytesPerSecond)}/s (${((peak.bytesPerSecond * 8) / 1e9).toFixed(0)} Gbit/s), ${whole(peak.openUploads)}`,
    ],
    [
      'services: processors busy, processes, machines',
      `${service.cpu.toFixed(0)}, ${whole(service.receivers)}, ${service.machines}`,
    ],
    ['services: memory, all together', bytes(service.memoryBytes)],
    ['validate: processors, slots', `${validate.cores}, ${validate.slots}`],
    ['inspect and transcode: processor hours, machines', `${whole(media.cpuHours)}, ${media.machines}`],
    ['Redis: round trips at the peak, processors', `${whole(redis.tripsPerSecond)}/s, ${redis.cores.toFixed(2)}`],
    ['bucket: writes and reads at the peak', `${whole(bucket.writesPerSecond)}/s, ${whole(bucket.readsPerSecond)}/s`],
    [
      'bucket: writes and reads in all, stored',
      `${whole(bucket.writes)}, ${whole(bucket.reads)}, ${bytes(bucket.storedBytes)}`,
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
    ['simulated: all is made after the deadline', `${simulated.drainedHours.toFixed(1)} h`],
    ['money: machines of the evening', cash(money.evening)],
    ['money: inspect and transcode', cash(money.media)],
    ['money: calls to the bucket', cash(money.calls)],
    ['money: storage for its time', cash(money.storage)],
    ['money: egress', cash(money.egress)],
  ]
}
