// The store refuses, is slow, works but its responses are lost, or is full.

import { rm, statfs, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitFor } from '../../../test/support/http.ts'
import type { Call, Fault } from '../../../test/support/proxy.ts'
import { begin, hand, inPieces, MIB, sizes } from '../drives/uploads.ts'
import type { Drive, TroubleRow } from '../model.ts'
import { sendFile } from '../stage/client.ts'

const UNAVAILABLE = {
  status: 503,
  body: '<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>',
  headers: { 'content-type': 'application/xml' },
}

type MetFault = Fault & { when: (call: Call) => boolean }

/** A film in several requests, with these faults on some calls to S3, each at least once. */
function during(faults: (arm: () => void) => MetFault[]): Drive {
  return async (stage, seed, arm) => {
    const { s3Line } = stage
    if (s3Line === undefined) throw new Error('this stage has no S3')
    const waiting = new Set(faults(() => arm()))
    const watched = (fault: MetFault): Fault => ({
      ...fault,
      when: (call) => {
        const isStruck = fault.when(call)
        if (isStruck) waiting.delete(fault)
        return isStruck
      },
    })
    const remove = [...waiting].map((fault) => s3Line.fault(watched(fault)))
    try {
      const sent = await inPieces(stage, seed, () => undefined)
      // Complete comes after the answer to the client.
      await waitFor(() => waiting.size === 0, { what: 'each of its faults to be met' })
      return sent
    } finally {
      for (const one of remove) one()
    }
  }
}

/** Counts calls of an operation and selects those with a fault. */
function ofCalls(operation: string, which: (nth: number) => boolean, arm: () => void) {
  let calls = 0
  return (call: { operation: string }): boolean => {
    if (call.operation !== operation) return false
    const struck = which(++calls)
    if (struck) arm()
    return struck
  }
}

const refusing = during((arm) => [
  { act: 'answer', ...UNAVAILABLE, when: ofCalls('UploadPart', (nth) => nth <= 4, arm) },
  { act: 'answer', ...UNAVAILABLE, when: ofCalls('PutObject', (nth) => nth % 3 === 1, arm), times: 4 },
  { act: 'answer', ...UNAVAILABLE, when: ofCalls('CompleteMultipartUpload', (nth) => nth === 1, arm) },
])

const dawdling = during((arm) => {
  const every = () => {
    arm()
    return true
  }
  return [{ act: 'delayResponse', ms: 400, when: every }]
})

const silentComplete = during((arm) => [
  { act: 'dropResponse', when: ofCalls('CompleteMultipartUpload', (nth) => nth === 1, arm) },
])

const silentRecords = during((arm) => [
  { act: 'dropResponse', when: ofCalls('PutObject', (nth) => nth % 2 === 1, arm), times: 4 },
  { act: 'dropResponse', when: ofCalls('CreateMultipartUpload', (nth) => nth === 1, arm) },
])

const cutParts = during((arm) => [
  { act: 'cutRequest', afterBytes: MIB, when: ofCalls('UploadPart', (nth) => nth <= 2, arm) },
])

/** Space for half of the film; more space after the disk was full. */
const noRoom: Drive = async (stage, seed, arm) => {
  const { submissionId, ticket } = await begin(stage)
  const film = stage.films.film(sizes(stage).length, seed)
  const ballast = join(stage.data, 'ballast')
  let refused = 0
  const sender = sendFile(stage.service.url, ticket, film, {
    chunkSize: MIB,
    onBeforeRequest: async (request) => {
      if (request.getMethod() !== 'PATCH' || refused > 0) return
      const { bavail, bsize } = await statfs(stage.data)
      await writeFile(ballast, Buffer.alloc(Math.max(0, bavail * bsize - MIB / 2)))
    },
    onAfterResponse: async (_request, response) => {
      if (response.getStatus() < 500) return
      refused++
      arm()
      if (refused === 2) await truncate(ballast)
    },
  })
  try {
    return hand(submissionId, await sender.done, film)
  } finally {
    await rm(ballast, { force: true })
  }
}

export const S3_TROUBLES: readonly TroubleRow[] = [
  { name: '503 to parts, objects and Complete', what: 'S3', drive: refusing, only: 's3' },
  { name: 'every response delayed by 400 ms', what: 'S3', drive: dawdling, only: 's3' },
  { name: 'Complete done, response lost', what: 'S3', drive: silentComplete, only: 's3' },
  { name: 'objects written, responses lost', what: 'S3', drive: silentRecords, only: 's3' },
  { name: 'connection cut in the middle of a part', what: 'S3', drive: cutParts, only: 's3' },
]

export const DISK_TROUBLES: readonly TroubleRow[] = [
  { name: 'full in the middle of a file', what: 'disk', drive: noRoom, only: 'local' },
]
