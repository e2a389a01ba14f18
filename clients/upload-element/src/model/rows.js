// The files of a slot as rows: files that this page sends, files of the service, unfinished files.

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./store.js').ListedUpload} ListedUpload */
/** @typedef {import('../sending/job.js').Job} Job */
/**
 * local: this page sends it. elsewhere: another page does. unfinished: nobody does. The others are states of the upload.
 * @typedef {'local' | 'elsewhere' | 'unfinished' | 'checking' | 'accepted' | 'rejected' | 'failed'} RowKind
 */
/**
 * @typedef {object} Row
 * @property {string} key
 * @property {RowKind} kind
 * @property {Job | null} job
 * @property {ListedUpload | null} upload
 * @property {import('./store.js').Heard | undefined} heard
 * @property {string} name
 * @property {boolean} counted
 */
/** @typedef {import('./store.js').SubmissionDocument['slots'][number]} Slot */

/** If bytes arrived within this time, somebody is sending. On slow lines the service saves progress once a minute. */
const MOVING_MS = 75_000

/**
 * @param {Slot} slot @param {Store} store @param {readonly Job[]} jobs all of the page
 * @returns {{rows: Row[], earlier: ListedUpload[]}} `earlier`: files that no longer count
 */
export function rowsOf(slot, store, jobs) {
  const own = jobs.filter((job) => job.slot === slot.slot)
  const all = (store.submission?.uploads ?? []).filter((upload) => upload.slot === slot.slot)
  const standing = all.filter((upload) => slot.uploads.includes(upload.id))
  // After the seal only the files of the sealed revision are shown.
  const sealed = store.submission?.state === 'sealed'
  const shown = [...standing, ...(sealed ? [] : freshRejections(all, standing))]
  const rows = shown.map((upload) => {
    const job = own.find(({ uploadId }) => uploadId === upload.id) ?? null
    return rowOf(upload, job, store, slot)
  })
  const fresh = own.filter((job) => !shown.some(({ id }) => id === job.uploadId) && job.phase !== 'stored')
  return {
    rows: [...rows, ...fresh.map((job) => localRow(job, null, undefined))],
    earlier: all.filter((upload) => !shown.includes(upload) && upload.state !== 'receiving').reverse(),
  }
}

/** Rejected uploads without a newer upload. @param {ListedUpload[]} all @param {ListedUpload[]} standing */
function freshRejections(all, standing) {
  const [newest = ''] = standing
    .map(({ createdAt }) => createdAt)
    .sort()
    .reverse()
  return all.filter((upload) => upload.state === 'rejected' && upload.createdAt > newest).slice(-1)
}

/** @param {ListedUpload} upload @param {Job | null} job @param {Store} store @param {Slot} slot @returns {Row} */
function rowOf(upload, job, store, slot) {
  const heard = store.heard.get(upload.id)
  if (upload.state === 'receiving') {
    if (job !== null) return localRow(job, upload, heard)
    const moving = heard !== undefined && performance.now() - heard.atMs < MOVING_MS
    return { ...remote(upload, heard, slot), kind: moving ? 'elsewhere' : 'unfinished' }
  }
  return { ...remote(upload, heard, slot), ...(job === null ? {} : { key: job.key }), kind: kindOf(upload) }
}

/** @param {Job} job @param {ListedUpload | null} upload @param {Row['heard']} heard @returns {Row} */
function localRow(job, upload, heard) {
  return { key: job.key, kind: 'local', job, upload, heard, name: job.file.name, counted: false }
}

/** @param {ListedUpload} upload @param {Row['heard']} heard @param {Slot} slot */
function remote(upload, heard, slot) {
  return {
    key: upload.id,
    job: null,
    upload,
    heard,
    name: upload.declared.filename ?? '',
    counted: slot.counted.includes(upload.id),
  }
}

/** @param {ListedUpload} upload @returns {RowKind} */
function kindOf({ state }) {
  if (state === 'accepted' || state === 'ready') return 'accepted'
  if (state === 'rejected' || state === 'failed') return state
  return 'checking'
}

/**
 * The state of the slot: that of the service, except `unfinished`, which only the page can know.
 * @param {Slot} slot @param {readonly Row[]} rows
 * @returns {'empty' | 'blocked' | 'receiving' | 'unfinished' | 'checking' | 'accepted' | 'rejected' | 'optional'}
 */
export function slotState(slot, rows) {
  const begun = rows.filter(({ kind, job }) => kind === 'elsewhere' || job?.active === true)
  if (slot.state === 'accepted') return 'accepted'
  if (begun.some(({ job }) => job?.phase !== 'offline' && job?.phase !== 'paused')) return 'receiving'
  if (begun.length > 0) return 'unfinished'
  if (slot.state === 'receiving') return 'unfinished'
  if (slot.state === 'empty' && rows.some(({ job }) => job?.asks === true)) return 'blocked'
  if (slot.state === 'empty' && slot.min === 0) return 'optional'
  return /** @type {'empty' | 'checking' | 'rejected'} */ (slot.state)
}
