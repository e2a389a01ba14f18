// The session: a token that the portal's server asked for, with which a browser acts on one submission.

/**
 * @typedef {object} Session
 * @property {string} token
 * @property {string} submission id of its submission
 * @property {string | null} subject who acts
 * @property {string[]} can `read`, `upload`, `seal`
 * @property {number} expMs
 */

/**
 * Reads a token without checking it: the service does that.
 * @param {string} token
 * @returns {Session | null} null: it is no token, for example after an incomplete copy
 */
export function readSession(token) {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(payload), (char) => char.charCodeAt(0))
    const { submission, sub, can, exp } = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof submission !== 'string' || !Array.isArray(can) || typeof exp !== 'number') return null
    return { token, submission, subject: typeof sub === 'string' ? sub : null, can, expMs: exp * 1000 }
  } catch {
    return null // not a token
  }
}
