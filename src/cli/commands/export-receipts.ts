// `export-receipts`: signed receipts of received uploads, one JSON object per line, for an archive or an appeal.

import { AppError } from '../../core/errors.ts'
import { uploadClaims } from '../../evidence/receipts.ts'
import { objectKeys, uploadIdOfKey } from '../../records/keys.ts'
import type { SubmissionHead } from '../../records/submission-head.ts'
import type { UploadRecord } from '../../records/upload-record.ts'
import { type Command, type Context, type Result, text, textOf } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { momentMs } from '../values.ts'
import { submissionNamed } from './submission-named.ts'

export const exportReceipts: Command = {
  name: 'export-receipts',
  takes: '[--submission [PORTAL/]ID] [--since TIME]',
  summary: 'signed receipts of received uploads, one JSON object per line',
  help: [
    '--submission [PORTAL/]ID  only of this submission',
    '--since TIME              only of uploads completed since then: a time, or how long ago (24h)',
    'Without --submission every record in the store is read. Anybody can verify a receipt with the published keys.',
  ],
  options: { submission: text, since: text },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('export-receipts takes only options')
    const since = textOf(values, 'since')
    if (since !== undefined) momentMs(since, '--since', 0)
    const submission = textOf(values, 'submission')
    return (context) => run(context, submission, since === undefined ? 0 : momentMs(since, '--since', context.nowMs))
  },
}

async function run(context: Context, submission: string | undefined, sinceMs: number): Promise<Result> {
  const { deps, line } = context
  const heads = new Map<string, SubmissionHead | undefined>()
  let count = 0
  for await (const record of submission === undefined ? everyUpload(context) : uploadsOf(context, submission)) {
    if (record.storedAt === null || Date.parse(record.storedAt) < sinceMs) continue
    const head = await headOf(context, record, heads)
    await line(JSON.stringify(await deps.receipts.sign(uploadClaims(record, head))))
    count++
  }
  if (count === 0) throw new CliError('No matching upload, so no receipt.', EXIT.notFound)
  const on = submission === undefined ? null : `submission ${submission}`
  return { text: [], security: { event: 'personal.read', on, what: `${count} receipts exported` } }
}

async function* uploadsOf(context: Context, name: string): AsyncGenerator<UploadRecord> {
  const { owner, id } = await submissionNamed(context, name)
  yield* await context.deps.uploads.ofSubmissionFromStore(owner, id)
}

/** Every upload in the store, ordered by submission. */
async function* everyUpload({ deps }: Context): AsyncGenerator<UploadRecord> {
  let last: string | undefined
  for await (const { key } of deps.store.list(objectKeys.uploads)) {
    const id = uploadIdOfKey(key)
    if (id === undefined || id === last) continue
    last = id
    const record = await deps.uploads.fromStore(id)
    if (record !== undefined) yield record
  }
}

async function headOf(
  { deps }: Context,
  { owner, submissionId }: UploadRecord,
  known: Map<string, SubmissionHead | undefined>,
): Promise<SubmissionHead | undefined> {
  if (submissionId === null) return undefined
  const name = `${owner}/${submissionId}`
  if (!known.has(name)) {
    // Uploads come in the order of their submissions: a small cache is enough.
    if (known.size > 100) known.clear()
    const head = await deps.heads.fromStore(owner, submissionId)
    if (head === undefined) throw new AppError('SUBMISSION_UNKNOWN')
    known.set(name, head)
  }
  return known.get(name)
}
