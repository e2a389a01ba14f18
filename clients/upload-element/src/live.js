// Changes of the submission: server-sent events, and polling while there is no stream. The browser reopens a stream that
// ends; some proxies let no stream through.

/** Each of them means that the submission document changed. */
const EVENTS = [
  'upload.created',
  'upload.stored',
  'upload.accepted',
  'upload.rejected',
  'upload.playable',
  'upload.ready',
  'upload.failed',
  'upload.expired',
  'upload.cancelled',
  'upload.superseded',
  'submission.complete',
  'submission.incomplete',
  'submission.sealed',
  'submission.returned',
  'submission.due',
  'submission.lapsed',
  'submission.closed',
  'submission.reopened',
  'submission.media_removed',
]
const POLL_MS = 5000
/** Polling beside the stream, since a dead stream looks like a quiet one. */
const SLOW_POLL_MS = 60_000

/** `live`: the stream works. `polling`: there is no stream (yet). @typedef {'live' | 'polling' | 'offline'} Line */

export class Live {
  /** @type {Line} */
  line = 'polling'
  /** @type {EventSource | null} */
  #source = null
  #open
  #on
  #stopped = true
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer

  /**
   * @param {() => EventSource} open
   * @param {AbortSignal} signal ends it
   * @param {{changed: () => void, progress: (news: any) => void, line: () => void}} on
   */
  constructor(open, signal, on) {
    this.#open = open
    this.#on = on
    addEventListener('online', () => this.#wake(), { signal })
    addEventListener('offline', () => this.#become('offline'), { signal })
    const shown = () => {
      if (document.visibilityState === 'visible') this.#wake()
    }
    document.addEventListener('visibilitychange', shown, { signal })
  }

  start() {
    this.#stopped = false
    this.#connect()
    this.#poll()
  }

  /** The session has ended, or nobody looks any more. */
  stop() {
    this.#stopped = true
    this.#source?.close()
    clearTimeout(this.#timer)
  }

  #connect() {
    this.#source?.close()
    const source = this.#open()
    this.#source = source
    source.onopen = () => this.#become('live')
    source.onerror = () => this.#become(navigator.onLine ? 'polling' : 'offline')
    source.addEventListener('snapshot', () => this.#on.changed())
    source.addEventListener('progress', (event) => this.#on.progress(JSON.parse(event.data)))
    for (const name of EVENTS) source.addEventListener(name, () => this.#on.changed())
  }

  /** @param {Line} line */
  #become(line) {
    if (line === this.line) return
    this.line = line
    this.#poll()
    this.#on.line()
  }

  #poll() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      () => {
        if (this.line !== 'offline') this.#on.changed()
        // The browser does not reconnect by itself after a response that is no event stream, for example of a proxy.
        if (this.#source?.readyState === EventSource.CLOSED) this.#connect()
        this.#poll()
      },
      this.line === 'live' ? SLOW_POLL_MS : POLL_MS,
    )
  }

  #wake() {
    if (this.#stopped) return
    // A stream that was open before looks open still, and may be dead.
    const wasAway = this.line === 'offline'
    if (wasAway) this.#become('polling')
    if (wasAway || this.#source?.readyState !== EventSource.OPEN) this.#connect()
    this.#on.changed()
  }
}
