// Formats numbers, sizes and times.

/** Steps of 1024, as `df -h`, the limits and the alerts have them. @param {number} bytes */
export function bytesInWords(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** @param {number} n */
export function numberInWords(n) {
  if (n > 0 && n < 9.95) return String(Math.round(n * 10) / 10)
  return Math.round(n).toLocaleString('en')
}

/** @param {number} seconds */
export function timeInWords(seconds) {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return seconds > 0 && seconds < 9.95 && seconds % 1 !== 0 ? `${seconds.toFixed(1)} s` : `${s} s`
  const minutes = Math.floor(s / 60)
  if (minutes < 60) return minutes < 10 ? `${minutes} min ${s % 60} s` : `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${minutes % 60} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/**
 * Local time, optionally with seconds and date.
 *
 * @param {number | string} at
 * @param {{ seconds?: boolean, day?: boolean }} [how]
 */
export function clockTime(at, { seconds = false, day = false } = {}) {
  const date = new Date(at)
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
  const time = `${two(date.getHours())}:${two(date.getMinutes())}${seconds ? `:${two(date.getSeconds())}` : ''}`
  return day ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}` : time
}
