// Whether a slot for several files can take one more of this kind, and whether it already has this file.

/** @typedef {import('../checking/check.js').LocalProblem} LocalProblem */
/** @typedef {import('../checking/check.js').Finding} Finding */
/** @typedef {import('../sending/job.js').Job} Job */

/**
 * @param {Finding} finding @param {Job} job what is about to be sent
 * @param {import('./store.js').Store} store @param {readonly Job[]} jobs
 * @returns {LocalProblem | null}
 */
export function noRoomProblem({ kind }, job, store, jobs) {
  const rules = store.profile?.slots.get(job.slot)
  const slot = store.submission?.slots.find((candidate) => candidate.slot === job.slot)
  if (rules === undefined || slot === undefined || slot.max === 1) return null
  const others = jobs.filter((other) => other !== job && other.slot === job.slot && other.active)
  const replaced = [job.replaces, ...others.map(({ replaces }) => replaces)]
  const kinds = [
    ...slot.uploads
      .filter((id) => !replaced.includes(id) && !others.some(({ uploadId }) => uploadId === id))
      .map((id) => store.upload(id)?.measured?.kind),
    ...others.map(({ finding }) => finding?.kind),
  ]
  if (kinds.length >= slot.max) return { name: 'slotFull', limit: slot.max }
  const most = rules.maxPerKind[kind]
  if (most !== undefined && kinds.filter((other) => other === kind).length >= most)
    return { name: 'kindFull', kind, limit: most }
  return null
}

const GONE = ['receiving', 'expired', 'cancelled']

/**
 * A file with the same name and size is taken as the same file.
 *
 * @param {Job} job what is about to be sent
 * @param {import('./store.js').Store} store @param {readonly Job[]} jobs
 * @returns {LocalProblem | null}
 */
export function duplicateProblem({ file, slot, ...own }, store, jobs) {
  const other = jobs.find(
    (job) => job.key !== own.key && job.slot === slot && job.active && isSame(file, job.file.name, job.file.size),
  )
  if (other !== undefined) return { name: 'twice', file: file.name }
  const twin = store.submission?.uploads.find(
    ({ superseded, state, declared, ...upload }) =>
      upload.slot === slot && !superseded && !GONE.includes(state) && isSame(file, declared.filename, declared.bytes),
  )
  if (twin === undefined) return null
  return { name: twin.state === 'rejected' ? 'twiceRejected' : 'twice', file: file.name }
}

/** @param {File} file @param {string | null} name @param {number | null} bytes */
function isSame(file, name, bytes) {
  return file.name === name && file.size === bytes
}
