// What a record says when a lane gave up: our fault, kept, and tried again later.

import { AppError } from '../../src/core/errors.ts'
import type { LaneLease } from '../../src/lifecycle/lane-leases.ts'
import type { UploadRecord } from '../../src/records/upload-record.ts'
import { ToolError } from '../media/tool-error.ts'
import type { WorkerContext } from '../worker-context.ts'

/** The uploader's file is to blame: trying again changes nothing. */
export function isInputError(error: unknown): error is ToolError {
  return error instanceof ToolError && error.fault === 'input'
}

/**
 * Without a verdict the upload is `failed`. An accepted one stays accepted, whatever becomes of its checks and
 * renditions. Readers hear of it once, however often the lane is tried again.
 */
export async function failureOf(
  deps: Pick<WorkerContext, 'completion' | 'uploads'>,
  { lane, record }: LaneLease,
  error: unknown,
): Promise<{ message: string; change: Partial<UploadRecord> }> {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof ToolError || error instanceof AppError ? error.code : 'INTERNAL'
  const current = (await deps.uploads.latest(record.id)) ?? record
  const news =
    current.error !== null
      ? {}
      : { event: 'upload.failed', sequence: await deps.completion.nextSequence(current, current) }
  return {
    message,
    change: {
      ...(lane === 'validate' ? { state: 'failed' as const } : {}),
      ...news,
      error: { code, retryable: true },
    },
  }
}
