// Sealing: asks for confirmation and shows the result.

import { Refusal } from '../api.js'
import { slotsToChange } from './returned.js'

/** @typedef {'idle' | 'sealing' | 'incomplete' | 'unavailable' | 'trouble'} SealState */

export class Seal {
  /** @type {SealState} */
  state = 'idle'
  #page
  #path

  /**
   * @param {object} page
   * @param {import('../api.js').Api} page.api
   * @param {import('./store.js').Store} page.store
   * @param {import('../words/words.js').Words} page.words of the language that is chosen now
   * @param {(slots: readonly string[]) => string[]} page.labels
   * @param {(question: Omit<import('../view/dialog.js').Question, 'answer'>) => Promise<boolean>} page.ask
   * @param {() => void} page.changed
   * @param {import('../session.js').Session} session
   */
  constructor(page, session) {
    this.#page = page
    this.#path = `v1/submissions/${encodeURIComponent(session.submission)}/seal`
    this.allowed = session.can.includes('seal')
  }

  /** @param {boolean} waiting verdicts are still pending */
  async ask(waiting) {
    const { store, words } = this.#page
    const { t } = words
    const unchanged = store.submission === null ? [] : slotsToChange(store.submission)
    const texts = [
      unchanged.length > 0 ? t.sealUnchanged(this.#page.labels(unchanged).join(', ')) : '',
      waiting ? t.sealPending : '',
      t.sealExplain,
    ]
    const sure = await this.#page.ask({
      title: t.sealAsk,
      text: texts.filter((text) => text !== '').join(' '),
      yes: waiting ? t.sealWhenComplete : t.seal,
      no: t.sealNotYet,
    })
    const { api } = this.#page
    if (sure) await this.#do(() => api.post(this.#path, waiting ? { whenComplete: true } : {}))
  }

  /** Takes back a seal request that waits for verdicts. */
  async withdraw() {
    await this.#do(() => this.#page.api.delete(this.#path))
  }

  /** @param {() => Promise<unknown>} act */
  async #do(act) {
    const { store } = this.#page
    this.#become('sealing')
    try {
      await act()
      this.#become('idle')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      this.#become(stateAfter(error))
    }
    await store.refresh()
  }

  /** @param {SealState} state */
  #become(state) {
    this.state = state
    this.#page.changed()
  }
}

/** @param {Refusal} refusal @returns {SealState} */
function stateAfter({ status, code }) {
  if (code === 'SUBMISSION_INCOMPLETE') return 'incomplete'
  // Somebody else has sealed it meanwhile: the document shows it.
  if (code === 'SUBMISSION_SEALED') return 'idle'
  return status === 404 || status === 403 ? 'unavailable' : 'trouble'
}
