// `admission`: opens or closes new uploads; running uploads continue in any case.

import { DEFAULT_RETRY_SECONDS, MAX_RETRY_SECONDS } from '../../ops/controls.ts'
import { type Command, type Context, text, textOf } from '../command.ts'
import { usageError } from '../errors.ts'
import { timeInWords } from '../render.ts'
import { durationMs } from '../values.ts'

export const admission: Command = {
  name: 'admission',
  takes: '[open | close --reason TEXT]',
  summary: 'show, open or close new uploads, for all processes on all machines',
  help: [
    '--reason TEXT       shown to callers; required to close',
    '--retry-after TIME  value of Retry-After [60s, at most 1h]',
    'While closed, only creations are refused (503 ADMISSION_CLOSED with Retry-After), and each is recorded as an attempt. Restarts do not change it.',
  ],
  options: { reason: text, 'retry-after': text },
  prepare(positionals, values) {
    const [what = 'show', ...rest] = positionals
    const reason = textOf(values, 'reason')?.trim()
    const retryAfter = textOf(values, 'retry-after')
    const seconds =
      retryAfter === undefined ? DEFAULT_RETRY_SECONDS : Math.ceil(durationMs(retryAfter, '--retry-after') / 1000)
    if (!['show', 'open', 'close'].includes(what) || rest.length > 0)
      throw usageError('admission: open or close is required')
    if (what === 'close' && !reason) throw usageError('admission close: --reason TEXT is required; callers see it')
    if (seconds > MAX_RETRY_SECONDS) throw usageError('--retry-after: at most 1h')
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
      ? 'open: new uploads are accepted'
      : `closed since ${closure.at} by ${closure.by}: ${closure.reason} (Retry-After ${timeInWords(closure.retryAfterSeconds * 1000)})`
  return { json: { open: closure === null, ...closure }, text: [words] }
}
