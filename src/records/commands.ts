// The Lua commands behind UploadSessionStore, RecordIndex and IndexCompleteness, each described in its file.

import { commandLoader } from '../core/lua-commands.ts'
import { channels } from './keys.ts'
import { CACHE_FIELDS, SEQUENCE_FIELDS, SESSION_FIELDS, STREAM_FIELDS } from './stored-fields.ts'

export const SUBMISSION_EVENTS_MAX = 1000

const command = commandLoader(new URL('./commands/', import.meta.url), {
  session: SESSION_FIELDS,
  cache: CACHE_FIELDS,
  sequence: SEQUENCE_FIELDS,
  stream: STREAM_FIELDS,
  /** How long the session of an expired upload is kept, for the answer 410. */
  KEEP_EXPIRED_MS: 3_600_000,
  EVENT_RETENTION_MS: 7 * 86_400_000,
  SUBMISSION_EVENTS_MAX,
  LIVE_CHANNEL: channels.live,
})

export const leaseDue = command('lease-due')
export const createSession = command('create-session')
export const acquireSession = command('acquire-session')
export const saveProgress = command('save-progress')
export const renewSession = command('renew-session')
export const declareLength = command('declare-length')
export const releaseSession = command('release-session')
export const endSession = command('end-session')
export const endUnstoredSession = command('end-unstored-session')
export const restoreSession = command('restore-session')

export const noteCommit = command('note-commit')
export const applyVersion = command('apply-version')
export const settleUpload = command('settle-upload')
export const publishVersion = command('publish-version')
export const publishSubmissionEvent = command('publish-submission-event')
export const noteCompleteness = command('note-completeness')
export const unloadSubmission = command('unload-submission')
export const nextSequence = command('next-sequence')
export const seedSequence = command('seed-sequence')

export const lowerDueDate = command('lower-due-date')
export const leaseDueDates = command('lease-due-dates')
export const releaseDueDate = command('release-due-date')

export const renewRebuild = command('renew-rebuild')
export const markComplete = command('mark-complete')
