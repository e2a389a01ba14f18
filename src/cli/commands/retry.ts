// `retry`: retries failed jobs now, instead of at the next retry of the reconciler.

import { type FailedLane, failedLanes, findFailed, retryLane, retryWebhooks } from '../../lifecycle/retry.ts'
import { type Command, type Context, flag, type Result, text, textOf } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { tableLines } from '../render.ts'
import { momentMs } from '../values.ts'

export const retry: Command = {
  name: 'retry',
  takes: '[UPLOAD…] [--state failed] [--since TIME] [--dry-run]',
  summary: 'retries failed jobs: lanes of uploads, and undelivered webhooks',
  help: [
    'Without UPLOAD: everything that failed.',
    '--state failed  the only state that can be retried; the default',
    '--since TIME    only what failed since then: a time, or how long ago (2h)',
    '--dry-run       only shows what would be retried',
  ],
  options: { state: text, since: text, 'dry-run': flag },
  prepare(ids, values) {
    const state = textOf(values, 'state') ?? 'failed'
    if (state !== 'failed') throw usageError(`--state ${state}: only failed can be retried`)
    const since = textOf(values, 'since')
    if (since !== undefined) momentMs(since, '--since', 0)
    return (context) => {
      const sinceMs = since === undefined ? 0 : momentMs(since, '--since', context.nowMs)
      return run(context, ids, sinceMs, values['dry-run'] === true)
    }
  },
}

async function run(context: Context, ids: readonly string[], sinceMs: number, dryRun: boolean): Promise<Result> {
  const deps = { ...context.deps, redis: context.deps.redis.producer }
  const failed = ids.length === 0 ? await findFailed(deps, sinceMs) : await failedOf(context, ids)
  const retried: (FailedLane & { begun: boolean })[] = []
  for (const one of failed) retried.push({ ...one, begun: !dryRun && (await retryLane(deps, one)) })
  const webhooks = ids.length === 0 && !dryRun ? await retryWebhooks(deps, sinceMs) : 0
  const rows = retried.map((one) => [one.uploadId, one.lane, one.failedAt, one.begun ? 'begun' : 'left', one.error])
  const begun = retried.filter((one) => one.begun).length
  const on = ids.length === 0 ? null : `upload ${ids.join(' ')}`
  const what = `${begun} lanes of uploads and ${webhooks} webhooks started again`
  return {
    ...(dryRun ? {} : { security: { event: 'queue.retry', on, what } as const }),
    json: { dryRun, lanes: retried, webhooks },
    text: [
      ...(rows.length === 0 ? [] : tableLines(rows, ['upload', 'lane', 'given up', 'now', 'why'])),
      dryRun
        ? `${failed.length} would be retried.`
        : `${begun} retried, and ${webhooks} ${webhooks === 1 ? 'webhook' : 'webhooks'}.`,
    ],
  }
}

async function failedOf({ deps }: Context, ids: readonly string[]): Promise<FailedLane[]> {
  const failed: FailedLane[] = []
  for (const id of ids) {
    const record = await deps.uploads.fromStore(id)
    if (record === undefined) throw new CliError(`There is no upload ${id} with stored bytes.`, EXIT.notFound)
    failed.push(...failedLanes(record))
  }
  return failed
}
