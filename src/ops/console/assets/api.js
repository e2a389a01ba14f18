// Requests of the console to its process. The browser adds the password.

/** Longer than the process waits for Redis. */
const PATIENCE_MS = 8000

/** @param {string} path @param {RequestInit} [init] */
async function ask(path, init = {}) {
  const answer = await fetch(path, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) })
  if (!answer.ok) {
    const { code, error, message } = await answer.json().catch(() => ({}))
    throw Object.assign(new Error(`${answer.status} ${error ?? message ?? answer.statusText}`), { code })
  }
  return await answer.json()
}

export const askPulse = () => ask('/console/api/pulse')

/** @param {number} minutes */
export const askDay = (minutes) => ask(`/console/api/day?minutes=${minutes}`)

/** @param {number} sinceMs of rejections */
export const askStandings = (sinceMs) => ask(`/console/api/standings?sinceMs=${sinceMs}`)

/** @param {Record<string, string>} group deadlineMs, profile, standing, after */
export const askStanding = (group) => ask(`/console/api/standings/list?${new URLSearchParams(group)}`)

/** @param {string} text */
export const askFind = (text) => ask(`/console/api/find?text=${encodeURIComponent(text)}`)

/** @param {string} owner @param {string} id */
export const askCase = (owner, id) =>
  ask(`/console/api/submissions/${encodeURIComponent(owner)}/${encodeURIComponent(id)}`)

export const askSecurity = () => ask('/console/api/security')

/** @param {string} what `admission`, `lanes/NAME`, `drain` @param {object} body */
export const turn = (what, body) =>
  ask(`/control/${what}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
