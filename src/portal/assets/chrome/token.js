// The token of the session, in the fragment (`#…`) of the address, which is not sent to servers.
// It is kept for this tab only and removed from the address, so that it does not stay in the browser's history.

import { readSession } from '../../../../clients/upload-element/src/session.js'

const KEY = 'songngan.session'

/** Empty: there is none, or it is none. */
export function openToken() {
  const given = new URLSearchParams(location.hash.slice(1))
  const token = given.get('token') ?? recall()
  if (token === null || readSession(token) === null) return ''
  if (given.has('token') && keep(token)) {
    given.delete('token')
    const rest = given.toString()
    history.replaceState(history.state, '', location.pathname + location.search + (rest && `#${rest}`))
  }
  return token
}

/** The language that the portal sets: `#token=…&lang=en`. */
export function languageOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get('lang')
}

function recall() {
  try {
    return sessionStorage.getItem(KEY)
  } catch {
    return null // storage is switched off
  }
}

/** @param {string} token */
function keep(token) {
  try {
    sessionStorage.setItem(KEY, token)
    return true
  } catch {
    return false // storage is switched off: the token stays in the address, so that a reload finds it
  }
}
