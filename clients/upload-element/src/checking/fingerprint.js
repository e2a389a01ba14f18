// Fingerprint of a file, the same on every device: SHA-256 over its length, first MiB and last MiB. An unfinished upload with
// the same fingerprint is the same file, started before a reload or on another device.

import { sha256 } from './sha256.js'

const MIB = 1024 * 1024

/**
 * @param {Blob} file
 * @returns {Promise<string>} lower-case hex
 */
export async function fingerprintOf(file) {
  const parts = [
    new TextEncoder().encode(String(file.size)),
    new Uint8Array(await file.slice(0, MIB).arrayBuffer()),
    new Uint8Array(await file.slice(Math.max(0, file.size - MIB)).arrayBuffer()),
  ]
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return await sha256(all)
}
