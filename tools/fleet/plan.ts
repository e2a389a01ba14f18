// The machines that one evening needs: pure arithmetic over the curves and the figures.

import type { Evening } from './evening.ts'
import type { Figures } from './figures.ts'

const GIB = 2 ** 30
const HOUR_S = 3600

export type Plan = ReturnType<typeof planFleet>

export function planFleet(teachers: number, curves: Evening, figures: Figures) {
  const { cost, people, plan, money } = figures
  const files = people.filesPerTeacher
  const uploads = teachers * sum(files.map(({ count }) => count))
  const bytes = teachers * sum(files.map((file) => file.count * file.bytes))
  const perSecond = (curve: Float64Array) => Math.max(...curve) / 60
  const peak = {
    createsPerSecond: perSecond(curves.started) * (1 + people.broken),
    completedPerSecond: perSecond(curves.completed),
    bytesPerSecond: perSecond(curves.bytes),
    openUploads: Math.max(...curves.open),
  }
  const partsPerSecond = peak.bytesPerSecond / cost.partBytes
  const apiPerSecond = perSecond(curves.started) * cost.apiCallsPerUpload
  const serviceCpu =
    (peak.bytesPerSecond / GIB) * cost.receiveCpuSecondsPerGiB +
    peak.createsPerSecond * cost.createCpuSeconds +
    apiPerSecond * cost.apiCpuSeconds
  const receivers = Math.max(
    Math.ceil(serviceCpu / plan.utilization),
    Math.ceil(peak.openUploads / cost.connectionsPerReceiver),
  )
  const byNetwork = Math.ceil((peak.bytesPerSecond * 8) / (plan.networkGbpsPerMachine * 1e9 * 0.5))
  const serviceMachines = Math.max(Math.ceil(receivers / plan.coresPerMachine), byNetwork, 2)

  const validateCpu = peak.completedPerSecond * cost.verdictCpuSeconds
  const validateSlots = Math.ceil((peak.completedPerSecond * cost.verdictSeconds) / plan.utilization)
  const validateCores = Math.max(
    Math.ceil(validateCpu / plan.utilization),
    Math.ceil(validateSlots / plan.validateSlotsPerCore),
  )
  const mediaMinutes = teachers * sum(files.map((file) => file.count * file.minutes))
  const pdfs = teachers * sum(files.filter(({ kind }) => kind === 'pdf').map(({ count }) => count))
  const media = {
    inspectCpuHours: ((bytes / GIB) * cost.inspectCpuSecondsPerGiB) / HOUR_S,
    remuxCpuHours: ((bytes / GIB) * (1 - people.shareEncoded) * cost.remuxCpuSecondsPerGiB) / HOUR_S,
    encodeCpuHours: (mediaMinutes * people.shareEncoded * cost.encodeCpuSecondsPerMediaMinute) / HOUR_S,
    pageCpuHours: (pdfs * cost.pageCpuSeconds) / HOUR_S,
  }
  const mediaCpuHours = sum(Object.values(media))
  const transcodeCores = Math.ceil(mediaCpuHours / plan.transcodeHours / 0.95)

  const redisPerSecond =
    peak.createsPerSecond * cost.redisTripsPerCreate +
    partsPerSecond * cost.redisTripsPerPart +
    apiPerSecond * cost.redisTripsPerApiCall
  const large = teachers * sum(files.filter((file) => file.bytes > cost.partBytes).map(({ count }) => count))
  const s3Writes = bytes / cost.partBytes + large * cost.s3CallsPerLargeUpload + (uploads - large) + uploads * 3
  const s3Reads = uploads * cost.verdictS3Calls + (2 * bytes) / cost.partBytes
  const renditionBytes = bytes
  const machineHours = (serviceMachines * plan.coresPerMachine + validateCores) * money.hoursUp
  return {
    teachers,
    uploads,
    bytes,
    peak,
    service: {
      cpu: serviceCpu,
      receivers,
      machines: serviceMachines,
      memoryBytes: receivers * cost.memoryBytesPerReceiver,
    },
    validate: { cpu: validateCpu, slots: validateCores * plan.validateSlotsPerCore, cores: validateCores },
    media: {
      ...media,
      cpuHours: mediaCpuHours,
      cores: transcodeCores,
      machines: Math.ceil(transcodeCores / plan.coresPerMachine),
    },
    redis: { tripsPerSecond: redisPerSecond, cores: redisPerSecond / cost.redisTripsPerSecondPerCore },
    bucket: {
      writesPerSecond: partsPerSecond + peak.completedPerSecond * (cost.s3CallsPerLargeUpload + 3),
      readsPerSecond: peak.completedPerSecond * cost.verdictS3Calls,
      writes: s3Writes,
      reads: s3Reads,
      storedBytes: bytes + renditionBytes,
    },
    egressBytes: bytes * people.views,
    money: {
      currency: money.currency,
      evening: machineHours * money.perCoreHour,
      media: mediaCpuHours * money.perCoreHour,
      calls: (s3Writes / 1000) * money.perThousandWrites + (s3Reads / 1000) * money.perThousandReads,
      storage: ((bytes + renditionBytes) / GIB) * money.perGiBMonth * money.monthsKept,
      storageClosed: ((bytes + renditionBytes) / GIB) * money.perGiBMonth * money.monthsKeptClosed,
      egress: ((bytes * people.views) / GIB) * money.perGiBEgress,
    },
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
