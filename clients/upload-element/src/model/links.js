// Links to files and their renditions: requested when first shown, and again when new renditions are ready or links get old.

const ASK_SECONDS = 6 * 3600
const MARGIN_MS = 10 * 60_000
const AFTER_TROUBLE_MS = 10_000

/** @typedef {import('./store.js').ListedUpload} ListedUpload */
/** @typedef {{of: string, urls: Map<string, string> | null, untilMs: number}} Entry */

export class Links {
  #api
  #changed
  /** @type {Map<string, Entry>} */
  #known = new Map()

  /** @param {import('../api.js').Api} api @param {() => void} changed */
  constructor(api, changed) {
    this.#api = api
    this.#changed = changed
  }

  /**
   * Addresses by name (`original`, `video`, `poster`, `page`); null while they are being fetched.
   * @param {ListedUpload} upload
   */
  of(upload) {
    const ready = upload.renditions.filter(({ state }) => state === 'ready').map(({ name }) => name)
    const wanted = ready.join()
    const entry = this.#known.get(upload.id)
    if (entry !== undefined && entry.of === wanted && Date.now() < entry.untilMs) return entry.urls
    // The old links stay while new ones are fetched, so that a video keeps playing.
    const urls = entry?.urls ?? null
    this.#known.set(upload.id, { of: wanted, urls, untilMs: Date.now() + AFTER_TROUBLE_MS })
    void this.#fetch(upload.id, wanted, urls)
    return urls
  }

  /** @param {string} id @param {string} wanted @param {Map<string, string> | null} old */
  async #fetch(id, wanted, old) {
    try {
      const { items } = await this.#api.post(`v1/uploads/${id}/links`, { expiresInSeconds: ASK_SECONDS })
      const fresh = items.map((/** @type {{name: string, url: string}} */ { name, url }) => [name, url])
      const urls = new Map(fresh)
      this.#known.set(id, { of: wanted, urls, untilMs: Date.now() + ASK_SECONDS * 1000 - MARGIN_MS })
    } catch {
      // Not ready yet, or no connection: requested again at the next drawing.
      this.#known.set(id, { of: wanted, urls: old, untilMs: Date.now() + AFTER_TROUBLE_MS })
    }
    this.#changed()
  }

  /** A link that makes the browser save the file. @param {string} id */
  async download(id) {
    const { items } = await this.#api.post(`v1/uploads/${id}/links`, { names: ['original'], download: true })
    return /** @type {string} */ (items[0].url)
  }
}
