// Keeps the screen on while files are sent: a sleeping phone stops sending. Browsers release the lock whenever the
// page is hidden, and some have no such lock: then only the text on the page helps.

export class ScreenLock {
  #wanted = false
  /** @type {Promise<WakeLockSentinel | null> | null} */
  #lock = null

  /** @param {AbortSignal} signal ends it */
  constructor(signal) {
    const shown = () => {
      if (this.#wanted && document.visibilityState === 'visible') this.#take()
    }
    document.addEventListener('visibilitychange', shown, { signal })
  }

  /** @param {boolean} wanted */
  keep(wanted) {
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    if (wanted) this.#take()
    else this.#release()
  }

  #take() {
    if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return
    // Refused with a low battery, or where it is not allowed: the screen may go dark, and the upload goes on.
    this.#lock = navigator.wakeLock.request('screen').catch(() => null)
  }

  #release() {
    void this.#lock?.then((lock) => lock?.release())
    this.#lock = null
  }
}
