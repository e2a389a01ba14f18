// One submission: its slots, uploads, attempts and events.

import type { SupportRecord } from '../../support/case-file.ts'
import type { Context, Result } from '../command.ts'
import { CliError, EXIT } from '../errors.ts'
import { bytesInWords, tableLines } from '../render.ts'
import { eventsOf } from './events-of.ts'

const SHOWN_ATTEMPTS = 20

export async function inspectSubmission({ deps, support }: Context, owner: string, id: string): Promise<Result> {
  const file = await support.file({ owner, submissionId: id })
  if (file === undefined) throw new CliError(`There is no submission ${owner}/${id}.`, EXIT.notFound)
  const events = await eventsOf(deps, owner, id)
  return {
    json: { ...file, events },
    security: { event: 'personal.read', on: `submission ${owner}/${id}` },
    text: [
      ...headLines(file),
      ...section(
        'slots',
        (file.document?.slots ?? []).map((slot) => [
          slot.slot,
          slot.state,
          `${slot.uploads.length} of ${slot.max}`,
          slot.label.th,
        ]),
      ),
      ...section(
        'uploads',
        file.uploads.map((one) => [
          one.id,
          one.slot,
          one.state + (one.superseded ? ', replaced' : '') + (one.late ? ', late' : ''),
          `${bytesInWords(one.receivedBytes)} of ${bytesInWords(one.declared.bytes)}`,
          one.subject,
          one.declared.filename,
        ]),
      ),
      ...section(
        'problems',
        file.uploads.flatMap(({ id: upload, problems }) =>
          problems.map(({ severity, code, message }) => [upload, severity, code, message.en]),
        ),
      ),
      ...section(
        'attempts, newest first',
        file.attempts
          .slice(0, SHOWN_ATTEMPTS)
          .map((one) => [one.at, one.slot, one.subject, one.outcome, one.code, one.declared?.filename]),
      ),
      ...section(
        'events',
        events.map(({ data, timestamp, type }) => [data.sequence, timestamp, type, data.state]),
      ),
    ],
  }
}

function headLines({ owner, submissionId, head, document, unreadable }: SupportRecord): string[] {
  const closed = document?.revisions.at(-1)?.closed
  return tableLines([
    ['submission', `${owner}/${submissionId}`],
    ['state', `${head.state}${document?.complete ? ', complete' : ''}`],
    ['profile', head.profile],
    ['deadline', document?.deadline],
    ['missing', document?.missing.join(', ')],
    ...(closed === undefined
      ? []
      : [['kept until', closed.mediaRemovedAt === undefined ? closed.keepUntil : 'removed']]),
    ['unique key', head.uniqueKey],
    ['version', `${head.version} of ${head.committedAt}`],
    ...(unreadable === null ? [] : [['unreadable', unreadable]]),
  ])
}

function section(name: string, rows: readonly (readonly (string | number | null | undefined)[])[]): string[] {
  return ['', name, ...(rows.length === 0 ? ['  none'] : tableLines(rows).map((line) => `  ${line}`))]
}
