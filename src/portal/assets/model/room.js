// Whether a slot for several files has room for one more, and of this kind.

/** @typedef {import('../checking/check.js').Fault} Fault */
/** @typedef {import('../checking/check.js').Finding} Finding */
/** @typedef {import('../sending/job.js').Job} Job */

/**
 * @param {Finding} finding @param {Job} job what is about to be sent
 * @param {import('./store.js').Store} store @param {readonly Job[]} jobs
 * @returns {Fault | null}
 */
export function faultOfRoom({ kind }, job, store, jobs) {
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
