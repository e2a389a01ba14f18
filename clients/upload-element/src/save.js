// Lets the browser save a blob or an address.

/** @param {Blob} blob @param {string} name */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob)
  follow(url, name)
  // The browser has started to read it by then.
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
