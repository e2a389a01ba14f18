// Has the browser save what the page holds, or what an address sends for saving.

/** @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob)
  follow(url, name)
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** @param {string} url @param {string} [name] */
export function follow(url, name) {
  const link = document.createElement('a')
  link.href = url
  if (name !== undefined) link.download = name
  link.rel = 'noopener'
  link.click()
}
