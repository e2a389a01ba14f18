// tus termination: ends an upload that is still receiving, and under AUTH=none a finished one too.

import { AppError } from '../core/errors.ts'
import { cancelUpload } from '../lifecycle/cancel.ts'
import { isStored } from '../records/upload-record.ts'
import type { UploadDeps } from './upload-deps.ts'

/** How long Redis answers 410; later the record answers, if there is one. */
export const ENDED_KEEP_MS = 86_400_000

/**
 * With a ticket only incomplete uploads can be terminated; the portal removes complete ones. With AUTH=none both.
 *
 * @throws TICKET_SCOPE, UPLOAD_UNKNOWN, UPLOAD_FINISHED, UPLOAD_EXPIRED, UPLOAD_CANCELLED
 */
export async function terminate(deps: UploadDeps, id: string, ticketSlot?: string): Promise<void> {
  const { peers, locks, views, metrics, config } = deps
  const seen = await locks.getStatus(id, ticketSlot)
  const state = 'record' in seen ? seen.record.state : seen.state.status
  if (state === 'expired') throw new AppError('UPLOAD_EXPIRED')
  if (state === 'cancelled') throw new AppError('UPLOAD_CANCELLED')
  if (config.tickets.auth === 'ticket' && (state === 'finishing' || isStored(state)))
    throw new AppError('UPLOAD_FINISHED')
  if ('state' in seen && seen.state.holder !== null) {
    const { fence, channel } = seen.state.holder
    await peers.ask('yield', id, fence, channel, 'ended')
  }
  const view = await views.one(id)
  if (view === undefined || !(await cancelUpload(deps, view))) throw new AppError('UPLOAD_CANCELLED')
  metrics.uploadsTerminated.inc()
}
