// One upload: all versions of its record, its session in Redis, its jobs, its events, its receipt.

import { uploadClaims } from '../../evidence/receipts.ts'
import { uploadJobId } from '../../jobs/contract.ts'
import { redact } from '../../ops/redact.ts'
import type { LaneName, UploadRecord } from '../../records/upload-record.ts'
import type { UploadSession } from '../../records/upload-session.ts'
import type { Context, Result } from '../command.ts'
import { CliError, EXIT } from '../errors.ts'
import { bytesInWords, tableLines } from '../render.ts'
import { eventsOf } from './events-of.ts'

const LANES: readonly LaneName[] = ['validate', 'inspect', 'transcode']

export async function inspectUpload(context: Context, id: string): Promise<Result> {
  const { deps } = context
  const [newest, hot] = await Promise.all([deps.uploads.fromStore(id), deps.hot.read(id)])
  if (newest === undefined && hot === undefined)
    throw new CliError(`There is no upload ${id}, neither in the store nor in Redis.`, EXIT.notFound)
  const versions = newest === undefined ? [] : await versionsOf(context, newest)
  const jobs = newest === undefined ? [] : await jobsOf(context, newest)
  const { owner, submissionId } = newest ?? hot?.draft ?? { owner: '', submissionId: null }
  const events =
    submissionId === null ? [] : (await eventsOf(deps, owner, submissionId)).filter(({ data }) => data.uploadId === id)
  const receipt = newest?.storedAt == null ? null : await receiptOf(context, newest)
  return {
    security: { event: 'personal.read', on: `upload ${id}` },
    json: { id, record: newest ?? null, versions, hot: hot ?? null, jobs, events, receipt },
    text: [
      ...headLines(id, newest, hot),
      ...section(
        'record',
        versions.map(({ version, committedAt, state, event, lanes }) => [
          `v${version}`,
          committedAt,
          state,
          event,
          lanesInWords(lanes),
        ]),
      ),
      ...section('Redis', hot === undefined ? [] : [hotRow(hot)]),
      ...section(
        'jobs',
        jobs.map(({ lane, id: jobId, state, attempts, error }) => [lane, jobId, state, `${attempts} attempts`, error]),
      ),
      ...section(
        'events',
        events.map(({ data, type, timestamp }) => [data.sequence, timestamp, type, data.state]),
      ),
      ...section('receipt', receipt === null ? [] : [[receipt.claims.kind], [receipt.receipt]]),
    ],
  }
}

/** The versions that are objects of their own: on S3 the first record of a small file is in the metadata of its data object. */
async function versionsOf({ deps }: Context, newest: UploadRecord): Promise<UploadRecord[]> {
  const versions: UploadRecord[] = []
  for (let number = 1; number < newest.version; number++) {
    const version = await deps.uploads.version(newest.id, number)
    if (version !== undefined) versions.push(version)
  }
  return [...versions, newest]
}

type JobLine = {
  lane: LaneName
  id: string
  state: string
  attempts: number
  error: string | null
  logs: string[]
}

async function jobsOf({ deps }: Context, record: UploadRecord): Promise<JobLine[]> {
  const jobs: JobLine[] = []
  for (const lane of LANES) {
    const generation = record.lanes[lane]?.generation
    if (generation === undefined) continue
    const queue = deps.queues.byLane[lane]
    const id = uploadJobId(lane, record.id, generation)
    const job = await queue.getJob(id)
    const { logs } = job === undefined ? { logs: [] } : await queue.getJobLogs(id)
    jobs.push({
      lane,
      id,
      state: job === undefined ? 'not in the queue' : await job.getState(),
      attempts: job?.attemptsMade ?? 0,
      error: job?.failedReason === undefined ? null : String(redact(job.failedReason)),
      logs: logs.map((line) => String(redact(line))),
    })
  }
  return jobs
}

async function receiptOf({ deps }: Context, record: UploadRecord) {
  const { owner, submissionId } = record
  const head = submissionId === null ? undefined : await deps.heads.fromStore(owner, submissionId)
  return await deps.receipts.sign(uploadClaims(record, head))
}

function headLines(id: string, record: UploadRecord | undefined, hot: UploadSession | undefined): string[] {
  const facts = record ?? hot?.draft
  if (facts === undefined) return [id]
  const { owner, submissionId, slot, revision, subject, declared } = facts
  const offset = hot?.status === 'receiving' ? hot.offset : (record?.receivedBytes ?? 0)
  const state = record?.state ?? hot?.status ?? '?'
  return [
    ...tableLines([
      ['upload', id],
      ['of', submissionId === null ? 'no submission' : `${owner}/${submissionId}, slot ${slot}, revision ${revision}`],
      ['by', subject],
      ['file', declared.filename],
      ['bytes', `${bytesInWords(offset)} of ${bytesInWords(declared.bytes)}`],
      ['state', `${state}${record?.late ? ', late' : ''}`],
      ['stored', record?.storedAt],
    ]),
    ...(record?.error ? [`error   ${record.error.code}`] : []),
    ...(record?.problems ?? []).map(({ severity, code, message }) => `${severity.padEnd(6)}  ${code}: ${message.en}`),
  ]
}

function hotRow(hot: UploadSession) {
  const holder = hot.holder === null ? 'nobody is sending' : `held by ${hot.holder.channel}`
  return [
    hot.status,
    `${hot.offset} of ${hot.size ?? '?'} bytes`,
    `expires ${new Date(hot.expiresAtMs).toISOString()}`,
    hot.abandoned ? 'abandoned' : holder,
    hot.trusted ? '' : 'from before a Redis restart: not trusted',
  ]
}

function lanesInWords(lanes: UploadRecord['lanes']): string {
  return Object.entries(lanes)
    .map(([lane, { generation, doneAt, failedAt, claim }]) => {
      const how = doneAt ? 'done' : failedAt ? 'failed' : claim ? `at ${claim.worker}` : 'due'
      return `${lane} g${generation} ${how}`
    })
    .join(', ')
}

function section(name: string, rows: readonly (readonly (string | number | null)[])[]): string[] {
  return ['', name, ...(rows.length === 0 ? ['  none'] : tableLines(rows).map((line) => `  ${line}`))]
}
