// Compares with the last state and announces changes to screen readers.

const QUARTER = 25

export class News {
  #page
  #first = true
  #line = ''

  /**
   * @param {object} page
   * @param {import('../view/announcer.js').Announcer} page.announcer
   * @param {import('../sending/sender.js').Sender} page.sender
   * @param {import('./store.js').Store} page.store
   * @param {import('../live.js').Live} page.live
   * @param {import('../words/words.js').Words} page.words of the language that is chosen now
   */
  constructor(page) {
    this.#page = page
  }

  announceChanges() {
    this.#jobs()
    this.#verdicts()
    this.#lineChange()
  }

  #jobs() {
    const { announcer, sender, words } = this.#page
    const { said } = words.t
    for (const job of sender.jobs) {
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
    const { announcer, store, words } = this.#page
    const { said } = words.t
    for (const upload of store.submission?.uploads ?? []) {
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
    const { announcer, live, words } = this.#page
    if (live.line === this.#line) return
    const before = this.#line
    this.#line = live.line
    if (live.line === 'offline') announcer.say(words.t.said.offline)
    else if (before === 'offline') announcer.say(words.t.said.online)
  }
}
