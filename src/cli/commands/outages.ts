// `outages`: the outage ledger, each entry signed with the key of receipts, and what is going on now.

import { isoTime } from '../../core/clock.ts'
import { openOutage, timesOf } from '../../evidence/outages/examine.ts'
import { FleetLogs } from '../../evidence/outages/fleet-logs.ts'
import { type Affected, worstOf } from '../../evidence/outages/fleet-outages.ts'
import { type Outage, outageClaims } from '../../evidence/outages/outage-ledger.ts'
import { type Command, type Context, flag, type Result, text, textOf } from '../command.ts'
import { usageError } from '../errors.ts'
import { tableLines, timeInWords } from '../render.ts'
import { momentMs } from '../values.ts'

const WORDS: Record<Affected, string> = {
  all: 'everything: no service was there',
  store: 'everything: no service reached the store',
  redis: 'everything: no service reached Redis',
  creations: 'new uploads: closed or draining',
}

export const outages: Command = {
  name: 'outages',
  takes: '[--since TIME] [--signed]',
  summary: 'the outage ledger: when the service could not be used, and what was affected',
  help: [
    '--since TIME   only outages that lasted until then or longer: a time, or how long ago (30d)',
    '--signed       only the signed entries, one JWS per line, for those who ask for proof; --json has them too',
    'Entries come from what every service writes into the store, and from probes on other hosts (songngan probe).',
    'Give lost time back with songngan extend-deadline --for-outage ID.',
  ],
  options: { since: text, signed: flag },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('outages takes only options')
    const since = textOf(values, 'since')
    if (since !== undefined) momentMs(since, '--since', 0)
    return (context) =>
      run(context, since === undefined ? 0 : momentMs(since, '--since', context.nowMs), values['signed'] === true)
  },
}

async function run({ deps, nowMs }: Context, sinceMs: number, isSigned: boolean): Promise<Result> {
  const found = await deps.outages.list(sinceMs)
  const signed = await Promise.all(
    found.map(async (outage) => ({ ...outage, receipt: (await deps.receipts.sign(outageClaims(outage))).receipt })),
  )
  if (isSigned) return { text: signed.map(({ receipt }) => receipt) }
  const open = openOutage(await new FleetLogs(deps).all(), nowMs, timesOf(deps.config.outages.heartbeatMs))
  const [first] = open
  const now = first === undefined ? null : { since: isoTime(first.fromMs), affected: worstOf(open) }
  return {
    json: { outages: signed, now },
    text: [
      ...(found.length === 0 ? ['No outage is in the ledger.'] : tableLines(found.map(rowOf), HEAD)),
      ...(now === null ? [] : [`Now, since ${now.since}: ${WORDS[now.affected]}. It is noted when it is over.`]),
    ],
  }
}

const HEAD = ['outage', 'from', 'to', 'lasted', 'affected']

function rowOf({ id, from, to, affected, seenBy, probe, reason }: Outage): string[] {
  const words = seenBy === 'service' ? WORDS[affected] : `as seen by the probe ${probe ?? ''}: ${reason ?? ''}`
  return [id, from, to, timeInWords(Date.parse(to) - Date.parse(from)), words]
}
