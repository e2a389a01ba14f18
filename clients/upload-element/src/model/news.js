// Compares with the last state and announces changes to screen readers.

const QUARTER = 25

export class News {
  #panel
  #first = true
  #line = ''

  /**
   * @param {object} panel
   * @param {import('../view/announcer.js').Announcer} panel.announcer
   * @param {import('../sending/sender.js').Sender} panel.sender
   * @param {import('./store.js').Store} panel.store
   * @param {import('../live.js').Live} panel.live
   * @param {import('../words/words.js').Words} panel.words of the language that is chosen now
   * @param {(slot: string | null) => boolean} panel.shows
   * @param {boolean} panel.speaksForAll
   */
  constructor(panel) {
    this.#panel = panel
  }

  announceChanges() {
    this.#jobs()
    this.#verdicts()
    this.#lineChange()
  }

  #jobs() {
    const { announcer, sender, words } = this.#panel
    const { said } = words.t
    for (const job of sender.jobs.filter(({ slot }) => this.#panel.shows(slot))) {
      const { name } = job.file
      const percent = Math.floor((job.sentBytes / Math.max(1, job.file.size)) * 100)
      const quarter = Math.floor(percent / QUARTER) * QUARTER
      if (job.phase === 'stored') announcer.about(job.key, 'stored', said.stored(name))
      else if (job.phase === 'sending' && quarter > 0 && quarter < 100)
        announcer.about(job.key, `sent-${quarter}`, said.sent(name, quarter))
      else if (job.phase === 'blocked') announcer.about(job.key, 'blocked', said.blocked(name, words.t.checks.notSent))
    }
  }

  #verdicts() {
    const { announcer, store, words } = this.#panel
    const { said } = words.t
    for (const upload of store.submission?.uploads.filter(({ slot }) => this.#panel.shows(slot)) ?? []) {
      const { id, state, accepted, declared, problems } = upload
      const stage = accepted ? 'accepted' : state
      // The state at the opening of the page is not announced.
      if (this.#first) announcer.know(id, stage)
      else if (accepted) announcer.about(id, stage, said.accepted(declared.filename ?? ''))
      else if (state === 'rejected') {
        const why = problems.filter(({ severity }) => severity === 'reject').map(({ message }) => words.of(message))
        announcer.about(id, stage, said.rejected(declared.filename ?? '', why.join(' ')))
      }
    }
    if (store.submission !== null) this.#first = false
  }

  #lineChange() {
    const { announcer, live, words } = this.#panel
    if (live.line === this.#line) return
    const before = this.#line
    this.#line = live.line
    if (!this.#panel.speaksForAll) return
    if (live.line === 'offline') announcer.say(words.t.said.offline)
    else if (before === 'offline') announcer.say(words.t.said.online)
  }
}
