// Which elements of a page act on the same submission: those have one connection, and do not know of each other.

import { Work } from './work.js'

/** @type {Map<string, Work>} */
const works = new Map()

/**
 * For this session. A newer token for the same person and submission takes the place of the older one; what is being sent goes on.
 *
 * @param {URL} service @param {import('./session.js').Session} session
 */
export function workFor(service, session) {
  const { submission, subject, can } = session
  const key = JSON.stringify([service.href, submission, subject, [...can].sort()])
  const known = works.get(key)
  if (known !== undefined && !known.over) {
    known.renew(session)
    return known
  }
  const work = new Work(service, session)
  works.set(key, work)
  return work
}
