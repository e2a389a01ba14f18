// SHA-256 (FIPS 180-4), for pages without https: browsers offer their own only on https.

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} lower-case hex
 */
export async function sha256(bytes) {
  const digest = globalThis.crypto?.subtle
    ? new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes)))
    : digestHere(bytes)
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const ROUNDS = 64
const BLOCK_BYTES = 64

/** The first 32 bits of the fractional parts of a root of the first primes. @param {number} count @param {number} power */
function rootsOfPrimes(count, power) {
  /** @type {number[]} */
  const primes = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return Uint32Array.from(primes, (prime) => (prime ** power % 1) * 2 ** 32)
}

/** @param {number} word @param {number} by */
function rotate(word, by) {
  return (word >>> by) | (word << (32 - by))
}

/**
 * @param {Uint8Array} bytes
 *
 * @internal
 */
export function digestHere(bytes) {
  const constants = rootsOfPrimes(ROUNDS, 1 / 3)
  const state = rootsOfPrimes(8, 1 / 2)
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const data = new DataView(padded.buffer)
  data.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n)
  const w = new Uint32Array(ROUNDS)
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    for (let i = 0; i < 16; i++) w[i] = data.getUint32(at + i * 4)
    for (let i = 16; i < ROUNDS; i++) w[i] = schedule(w, i)
    compress(state, w, constants)
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (const [i, word] of state.entries()) digest.setUint32(i * 4, word)
  return new Uint8Array(digest.buffer)
}

/** @param {Uint32Array} w @param {number} i */
function schedule(w, i) {
  const [a = 0, b = 0, c = 0, d = 0] = [w[i - 16], w[i - 15], w[i - 7], w[i - 2]]
  const low = rotate(b, 7) ^ rotate(b, 18) ^ (b >>> 3)
  const high = rotate(d, 17) ^ rotate(d, 19) ^ (d >>> 10)
  return a + low + c + high
}

/** @param {Uint32Array} state @param {Uint32Array} w @param {Uint32Array} constants */
function compress(state, w, constants) {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state
  for (let i = 0; i < ROUNDS; i++) {
    const choice = (e & f) ^ (~e & g)
    const first = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + (constants[i] ?? 0) + (w[i] ?? 0)) | 0
    const majority = (a & b) ^ (a & c) ^ (b & c)
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0
    ;[h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0]
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] ?? 0) + word
}
