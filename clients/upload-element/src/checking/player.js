// The length of a video by the browser's player, for containers whose index this page cannot read.

/** Time-out; after it the length is left to the service. */
const PATIENCE_MS = 5000

/**
 * @param {File} file
 * @returns {Promise<number | null>} seconds; null if the browser cannot tell
 */
export async function lengthByPlayer(file) {
  const video = document.createElement('video')
  const url = URL.createObjectURL(file)
  try {
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), PATIENCE_MS)
      const done = (/** @type {number | null} */ seconds) => {
        clearTimeout(timer)
        resolve(seconds)
      }
      video.onloadedmetadata = () => done(Number.isFinite(video.duration) ? video.duration : null)
      video.onerror = () => done(null)
      video.preload = 'metadata'
      video.muted = true
      video.src = url
    })
  } finally {
    video.removeAttribute('src')
    URL.revokeObjectURL(url)
  }
}
