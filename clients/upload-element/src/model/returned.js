// What a return asks for: slots whose files must be replaced, and whether they have been.

/** @typedef {import('./store.js').Submission} Submission */

/** @param {Pick<Submission, 'revisions'>} submission @returns {Submission['revisions'][number] | undefined} */
export function lastReturn({ revisions }) {
  return revisions.filter(({ returnedAt }) => returnedAt !== undefined).at(-1)
}

/** Slots named by the return that still have the returned files. @param {Submission} submission */
export function slotsToChange(submission) {
  if (submission.state !== 'returned') return []
  const { slots: named = [], uploads: returned = {} } = lastReturn(submission) ?? {}
  return named.filter((id) => {
    const standing = submission.slots.find(({ slot }) => slot === id)?.uploads ?? []
    return !submission.uploads.some(
      (upload) =>
        standing.includes(upload.id) && upload.state !== 'receiving' && !(returned[id] ?? []).includes(upload.id),
    )
  })
}
