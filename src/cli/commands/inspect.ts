// `inspect`: everything about one upload or submission.

import { isSubmissionId, isUploadId } from '../../core/ids.ts'
import type { Command } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { inspectSubmission } from './inspect-submission.ts'
import { inspectUpload } from './inspect-upload.ts'
import { submissionNamed } from './submission-named.ts'

export const inspect: Command = {
  name: 'inspect',
  takes: 'UPLOAD | [PORTAL/]SUBMISSION',
  summary: 'everything about an upload (versions, Redis, jobs, events, receipt) or a submission',
  help: ['The record is read from the store, which is authoritative over Redis.'],
  options: {},
  prepare([name, ...rest]) {
    if (name === undefined || rest.length > 0) throw usageError('inspect: one upload or submission is required')
    return async (context) => {
      if (isUploadId(name, context.deps.config.secrets.uploadId)) return await inspectUpload(context, name)
      const id = name.slice(name.indexOf('/') + 1)
      if (!isSubmissionId(id))
        throw new CliError(`"${name}" is neither an upload id nor a submission id.`, EXIT.notFound)
      const submission = await submissionNamed(context, name)
      return await inspectSubmission(context, submission.owner, submission.id)
    }
  },
}
