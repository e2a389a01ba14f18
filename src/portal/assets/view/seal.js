// Handing in, where the session may. Only what is complete can be handed in; what only waits for verdicts can be told to be
// handed in when they come.

import { h } from './dom.js'
import { icon } from './icons.js'

/** @param {import('../model/store.js').Submission} submission @param {import('../page.js').Page} page */
export function sealing(submission, page) {
  const { state: stage } = page.seal
  if (!page.seal.allowed || submission.state === 'sealed') return null
  const { t } = page.words
  const waiting = !submission.complete && submission.missing.length === 0 && submission.pending.length > 0
  const ready = submission.complete || waiting
  const told = {
    incomplete: t.sealIncomplete,
    unavailable: t.sealUnavailable,
    trouble: t.troubleTitle,
    armed: t.sealArmed,
  }
  const words = Object.entries(told).find(([name]) => name === stage)?.[1] ?? ''
  return h(
    'div',
    { class: 'seal', key: 'seal' },
    stage !== 'unavailable' &&
      stage !== 'armed' &&
      h(
        'button',
        {
          type: 'button',
          class: 'button main',
          disabled: !ready || stage === 'sealing',
          onclick: () => page.seal.ask(waiting),
        },
        icon('lock'),
        stage === 'sealing' ? t.sealing : waiting ? t.sealWhenComplete : t.seal,
      ),
    words !== '' && h('p', { class: 'note', role: 'status' }, words),
  )
}
