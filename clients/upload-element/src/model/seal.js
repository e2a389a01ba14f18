// Sealing: asks for confirmation and shows the result.

import { Refusal } from '../api.js'
import { slotsToChange } from './returned.js'

/** @typedef {'idle' | 'sealing' | 'incomplete' | 'unavailable' | 'trouble'} SealState */

export class Seal {
  /** @type {SealState} */
  state = 'idle'
  #panel
  #path

  /**
   * @param {object} panel
   * @param {import('../api.js').Api} panel.api
   * @param {import('./store.js').Store} panel.store
   * @param {import('../words/words.js').Words} panel.words of the language that is chosen now
   * @param {(slots: readonly string[]) => string[]} panel.labels
   * @param {(question: Omit<import('../view/dialog.js').Question, 'answer'>) => Promise<boolean>} panel.ask
   * @param {() => void} panel.changed
   * @param {import('../session.js').Session} panel.session
   */
  constructor(panel) {
    this.#panel = panel
    this.#path = `v1/submissions/${encodeURIComponent(panel.session.submission)}/seal`
  }

  get allowed() {
    return this.#panel.session.can.includes('seal')
  }

  /** @param {boolean} waiting verdicts are still pending */
  async ask(waiting) {
    const { store, words } = this.#panel
    const { t } = words
    const unchanged = store.submission === null ? [] : slotsToChange(store.submission)
    const texts = [
      unchanged.length > 0 ? t.sealUnchanged(this.#panel.labels(unchanged).join(', ')) : '',
      waiting ? t.sealPending : '',
      t.sealExplain,
    ]
    const sure = await this.#panel.ask({
      title: t.sealAsk,
      text: texts.filter((text) => text !== '').join(' '),
      yes: waiting ? t.sealWhenComplete : t.seal,
      no: t.sealNotYet,
    })
    const { api } = this.#panel
    if (sure) await this.#do(() => api.post(this.#path, waiting ? { whenComplete: true } : {}))
  }

  /** Takes back a seal request that waits for verdicts. */
  async withdraw() {
    await this.#do(() => this.#panel.api.delete(this.#path))
  }

  /** @param {() => Promise<unknown>} act */
  async #do(act) {
    const { store } = this.#panel
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
    this.#panel.changed()
  }
}

/** @param {Refusal} refusal @returns {SealState} */
function stateAfter({ status, code }) {
  if (code === 'SUBMISSION_INCOMPLETE') return 'incomplete'
  // Somebody else has sealed it meanwhile: the document shows it.
  if (code === 'SUBMISSION_SEALED') return 'idle'
  return status === 404 || status === 403 ? 'unavailable' : 'trouble'
}
