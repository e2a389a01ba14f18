// The session: a token in the fragment (`#…`) of the address, which is not sent to servers.
// It is kept for this tab only and removed from the address, so that it does not stay in the browser's history.

const KEY = 'songngan.session'

/**
 * @typedef {object} Session
 * @property {string} token
 * @property {string} submission id of its submission
 * @property {string[]} can `read`, `upload`, `seal`
 * @property {number} expMs
 */

/** @returns {Session | null} null: none, or not valid */
export function openSession() {
  const given = new URLSearchParams(location.hash.slice(1))
  const token = given.get('token') ?? recall()
  const session = token === null ? null : read(token)
  if (session !== null && given.has('token') && keep(session.token)) {
    given.delete('token')
    const rest = given.toString()
    history.replaceState(history.state, '', location.pathname + location.search + (rest && `#${rest}`))
  }
  return session
}

/** The language that the portal sets: `#token=…&lang=en`. */
export function languageOfAddress() {
  return new URLSearchParams(location.hash.slice(1)).get('lang')
}

/**
 * Reads a token without checking it: the service does that.
 * @param {string} token
 * @returns {Session | null}
 */
function read(token) {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))
    const { submission, can, exp } = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof submission !== 'string' || !Array.isArray(can) || typeof exp !== 'number') return null
    return { token, submission, can, expMs: exp * 1000 }
  } catch {
    return null // not a token, for example after an incomplete copy
  }
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
