// `receipt-keys`: the keys that receipts are signed with, and their withdrawal after a leak.

import { isoTime } from '../../core/clock.ts'
import { type Command, type Context, flag, type Result, text, textOf } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { tableLines } from '../render.ts'
import { momentMs } from '../values.ts'

export const receiptKeys: Command = {
  name: 'receipt-keys',
  takes: '[--withdraw KID --from TIME [--yes]]',
  summary: 'lists the keys of receipts, or withdraws one after a leak',
  help: [
    '--withdraw KID  withdraws a key for good; not the one that signs: put a new RECEIPT_SECRET in front first',
    '--from TIME     when it may have leaked: a time, or how long ago (2h). Receipts from then on are void; earlier ones',
    '                are valid only where the records say the same',
    '--yes           withdraw it; without it nothing is changed',
    'All services know within half a minute. Repeated with an earlier time, that one holds.',
  ],
  options: { withdraw: text, from: text, yes: flag },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('receipt-keys takes only options')
    const kid = textOf(values, 'withdraw')
    const from = textOf(values, 'from')
    if ((kid === undefined) !== (from === undefined)) throw usageError('--withdraw KID and --from TIME go together')
    if (from !== undefined) momentMs(from, '--from', 0)
    return async (context) => {
      if (kid === undefined || from === undefined) return await list(context)
      return await withdraw(context, {
        kid,
        fromMs: momentMs(from, '--from', context.nowMs),
        yes: values['yes'] === true,
      })
    }
  },
}

async function list({ deps }: Context): Promise<Result> {
  const keys = await deps.receiptKeys.all()
  const { signs } = await deps.receiptKeys.state()
  const rows = keys.map(({ kid, revoked }) => [
    kid,
    kid === signs ? 'signs' : '',
    revoked === undefined ? '' : `withdrawn as of ${isoTime(revoked.revoked_at * 1000)}`,
  ])
  return { json: { keys, signs }, text: tableLines(rows, ['key', '', '']) }
}

async function withdraw(
  { deps, operator, nowMs }: Context,
  { kid, fromMs, yes }: { kid: string; fromMs: number; yes: boolean },
): Promise<Result> {
  if (fromMs > nowMs) throw usageError('--from is in the future: until then the key could sign')
  if ((await deps.receiptKeys.find(kid)) === undefined)
    throw new CliError(`No key of receipts has the id "${kid}".`, EXIT.notFound)
  if (kid === (await deps.receiptKeys.state()).signs)
    throw new CliError('This key signs. Put a new RECEIPT_SECRET in front, restart the services, and withdraw it then.')
  const from = isoTime(fromMs)
  const json = { kid, from, dryRun: !yes }
  if (!yes)
    return {
      json,
      text: [`${kid} would be withdrawn as of ${from}.`, 'Nothing was changed. Add --yes to withdraw it.'],
    }
  await deps.receiptKeys.withdraw(kid, fromMs)
  const what = `withdrawn as of ${from}`
  await deps.securityLog.record({ event: 'receipt_key.withdraw', actor: operator, on: `receipt key ${kid}`, what })
  return { json, text: [`${kid} is withdrawn as of ${from}.`] }
}
