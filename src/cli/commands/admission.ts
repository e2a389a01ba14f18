// `admission`: whether new uploads are taken; uploads under way go on in any case.

import { DEFAULT_RETRY_SECONDS, MAX_RETRY_SECONDS } from '../../ops/controls.ts'
import { type Command, type Context, text, textOf } from '../command.ts'
import { usageError } from '../errors.ts'
import { timeInWords } from '../render.ts'
import { durationMs } from '../values.ts'

export const admission: Command = {
  name: 'admission',
  takes: '[open | close --reason TEXT]',
  summary: 'whether new uploads are taken, by all processes of all machines',
  help: [
    '--reason TEXT       told to callers; required to close',
    '--retry-after TIME  value of Retry-After [60s, at most 1h]',
    'Refused are creations only (503 ADMISSION_CLOSED with Retry-After), and each is noted as an attempt. Holds over restarts.',
  ],
  options: { reason: text, 'retry-after': text },
  prepare(positionals, values) {
    const [what = 'show', ...rest] = positionals
    const reason = textOf(values, 'reason')?.trim()
    const retryAfter = textOf(values, 'retry-after')
    const seconds =
      retryAfter === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(durationMs(retryAfter, '--retry-after') / 1000)
    if (!['show', 'open', 'close'].includes(what) || rest.length > 0) throw usageError('admission open, or close?')
    if (what === 'close' && !reason) throw usageError('admission close: --reason TEXT is told to callers')
    if (seconds > MAX_RETRY_SECONDS) throw usageError('--retry-after: an hour at most')
    return async (context) => {
      const { controls, operator } = context
      if (what === 'open') await controls.openAdmission(operator)
      if (what === 'close')
        await controls.closeAdmission(operator, { reason: reason ?? '', retryAfterSeconds: seconds })
      return await shown(context)
    }
  },
}

async function shown({ controls }: Context) {
  const { admission: closure } = await controls.read()
  const words =
    closure === null
      ? 'open: new uploads are taken'
      : `closed since ${closure.at} by ${closure.by}: ${closure.reason} (back in ${timeInWords(closure.retryAfterSeconds * 1000)})`
  return { json: { open: closure === null, ...closure }, text: [words] }
}
