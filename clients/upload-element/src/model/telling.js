// Tells the page around the element what happens, as events: new documents, progress, verdicts, refusals, the end of the session.

/** @typedef {import('../sending/job.js').Job} Job */
/** @typedef {(name: string, detail: object) => void} Tell */

export class Telling {
  #panel
  #tell
  #sequence = -1
  #progress = ''
  /** Phases of files that were told. @type {Map<string, string>} */
  #phases = new Map()
  /** States of uploads that are known. @type {Map<string, string> | null} */
  #states = null
  #expired = false

  /**
   * @param {object} panel
   * @param {import('./store.js').Store} panel.store
   * @param {import('../sending/sender.js').Sender} panel.sender
   * @param {(slot: string | null) => boolean} panel.shows
   * @param {Tell} tell
   */
  constructor(panel, tell) {
    this.#panel = panel
    this.#tell = tell
  }

  tellChanges() {
    this.#document()
    this.#verdicts()
    this.#refusals()
    this.#sending()
    const expired = this.#panel.store.stage === 'expired'
    if (expired && !this.#expired) this.#tell('expired', {})
    this.#expired = expired
  }

  /** @param {Job} job */
  stored({ slot, uploadId, file }) {
    this.#tell('stored', { slot, uploadId, filename: file.name })
  }

  get #jobs() {
    return this.#panel.sender.jobs.filter(({ slot }) => this.#panel.shows(slot))
  }

  #document() {
    const { submission } = this.#panel.store
    if (submission === null || submission.sequence === this.#sequence) return
    this.#sequence = submission.sequence
    this.#tell('submission', { submission })
  }

  /** Those that were there when the element was opened are in the first document. */
  #verdicts() {
    const { submission } = this.#panel.store
    if (submission === null) return
    const before = this.#states
    this.#states = new Map()
    for (const { id, slot, state, accepted, declared, problems } of submission.uploads) {
      const verdict = accepted ? 'accepted' : state === 'rejected' ? 'rejected' : ''
      this.#states.set(id, verdict)
      if (before === null || verdict === '' || before.get(id) === verdict || !this.#panel.shows(slot)) continue
      this.#tell('verdict', { slot, uploadId: id, filename: declared.filename, verdict, problems })
    }
  }

  #refusals() {
    for (const { key, slot, phase, file, finding, refusal } of this.#jobs) {
      if (this.#phases.get(key) === phase) continue
      this.#phases.set(key, phase)
      if (phase === 'blocked')
        this.#tell('refused', { slot, filename: file.name, problems: finding?.problems ?? [], message: null })
      if (phase === 'refused') this.#tell('refused', { slot, filename: file.name, problems: [], message: refusal })
    }
  }

  #sending() {
    const jobs = this.#jobs
    const active = jobs.filter((job) => job.active)
    const totalBytes = active.reduce((sum, { file }) => sum + file.size, 0)
    const sentBytes = active.reduce((sum, job) => sum + job.sentBytes, 0)
    const files = jobs.map(({ slot, uploadId, phase, file, ...job }) => ({
      slot,
      uploadId,
      filename: file.name,
      phase,
      bytes: file.size,
      sentBytes: job.sentBytes,
    }))
    const progress = JSON.stringify(files)
    if (progress === this.#progress) return
    this.#progress = progress
    this.#tell('progress', {
      percent: totalBytes === 0 ? null : Math.floor((sentBytes / totalBytes) * 100),
      sentBytes,
      totalBytes,
      files: files.map((told, i) => ({
        ...told,
        bytesPerSecond: jobs[i]?.speed.bytesPerSecond ?? null,
        secondsLeft: jobs[i]?.secondsLeft ?? null,
      })),
    })
  }
}
