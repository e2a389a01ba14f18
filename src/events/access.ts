// Access control of the event routes. `authorize` reads the credentials: an API key
// belongs to a portal, a session to a portal and one of its submissions.

import type { FastifyRequest } from 'fastify'
import type { Secrets } from '../core/derive-key.ts'
import { AppError } from '../core/errors.ts'
import { isSubmissionId, isUploadId } from '../core/ids.ts'
import type { Issued } from '../records/revocations.ts'
import type { UploadView, UploadViews } from '../records/upload-views.ts'

export type Caller = {
  /** The portal, the name of an API key. */
  owner: string
  /** Present for a session: the one submission that it may read. */
  submissionId?: string
  /** Present for a session: what it creates ends with it. */
  session?: { issued: Issued; subject: string | null; expMs: number }
}

/** Reads the credentials of a request (header, or a session in `?access_token=` of an event stream); throws 401 or 403. */
export type Authorize = (request: FastifyRequest) => Promise<Caller>

export type OwnedUpload = { owner: string; submissionId: string | null; view: UploadView }

/** Throws ID_INVALID, or SUBMISSION_UNKNOWN if a session asks for another submission. */
export function requireSubmissionId(caller: Caller, id: string): void {
  if (!isSubmissionId(id)) throw new AppError('ID_INVALID')
  if (caller.submissionId !== undefined && caller.submissionId !== id) throw new AppError('SUBMISSION_UNKNOWN')
}

/** The upload `id` if the caller may see it; otherwise throws UPLOAD_UNKNOWN. */
export async function requireUpload(
  deps: { views: Pick<UploadViews, 'one'>; secrets: Secrets },
  caller: Caller,
  id: string,
): Promise<OwnedUpload> {
  if (!isUploadId(id, deps.secrets)) throw new AppError('UPLOAD_UNKNOWN')
  const view = await deps.views.one(id)
  const origin = view?.record ?? view?.hot?.draft
  // The existence of other people's uploads is not revealed.
  if (view === undefined || origin === undefined || !maySee(caller, origin)) throw new AppError('UPLOAD_UNKNOWN')
  return { owner: origin.owner, submissionId: origin.submissionId, view }
}

function maySee(caller: Caller, upload: { owner: string; submissionId: string | null }): boolean {
  if (upload.owner !== caller.owner) return false
  return caller.submissionId === undefined || caller.submissionId === upload.submissionId
}
