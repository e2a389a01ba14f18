// SHA-256 (FIPS 180-4) in steps: for files of many gigabytes, which browsers cannot hash piece by piece, and for pages
// without https, where they do not offer it at all.

const ROUNDS = 64
const BLOCK_BYTES = 64

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} lower-case hex
 */
export async function sha256(bytes) {
  return hexOf(
    globalThis.crypto?.subtle
      ? new Uint8Array(await crypto.subtle.digest('SHA-256', /** @type {BufferSource} */ (bytes)))
      : digestHere(bytes),
  )
}

/**
 * Of a whole file, whatever its size. Nothing of it leaves the browser.
 *
 * @param {Blob} file
 * @param {(bytes: number) => void} onBytes how many have been read
 * @returns {Promise<string>} lower-case hex
 */
export async function sha256OfFile(file, onBytes) {
  const hash = new Sha256()
  const reader = file.stream().getReader()
  for (let read = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return hexOf(hash.digest())
    hash.update(value)
    read += value.length
    onBytes(read)
  }
}

/**
 * @param {Uint8Array} bytes
 *
 * @internal
 */
export function digestHere(bytes) {
  return new Sha256().update(bytes).digest()
}

class Sha256 {
  #state = Int32Array.from(rootsOfPrimes(8, 1 / 2))
  #words = new Int32Array(ROUNDS)
  #rest = new Uint8Array(BLOCK_BYTES)
  #restBytes = 0
  #bytes = 0

  /** @param {Uint8Array} bytes */
  update(bytes) {
    this.#bytes += bytes.length
    let at = 0
    if (this.#restBytes > 0) {
      at = Math.min(BLOCK_BYTES - this.#restBytes, bytes.length)
      this.#rest.set(bytes.subarray(0, at), this.#restBytes)
      this.#restBytes += at
      if (this.#restBytes < BLOCK_BYTES) return this
      compress(this.#state, this.#words, this.#rest, 0)
    }
    for (; at + BLOCK_BYTES <= bytes.length; at += BLOCK_BYTES) compress(this.#state, this.#words, bytes, at)
    this.#rest.set(bytes.subarray(at))
    this.#restBytes = bytes.length - at
    return this
  }

  digest() {
    const end = new Uint8Array(this.#restBytes < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES)
    end.set(this.#rest.subarray(0, this.#restBytes))
    end[this.#restBytes] = 0x80
    new DataView(end.buffer).setBigUint64(end.length - 8, BigInt(this.#bytes) * 8n)
    for (let at = 0; at < end.length; at += BLOCK_BYTES) compress(this.#state, this.#words, end, at)
    const digest = new DataView(new ArrayBuffer(32))
    for (const [i, word] of this.#state.entries()) digest.setInt32(i * 4, word)
    return new Uint8Array(digest.buffer)
  }
}

/** The first 32 bits of the fractional parts of a root of the first primes. @param {number} count @param {number} power */
function rootsOfPrimes(count, power) {
  /** @type {number[]} */
  const primes = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return Uint32Array.from(primes, (prime) => (prime ** power % 1) * 2 ** 32)
}

const CONSTANTS = Int32Array.from(rootsOfPrimes(ROUNDS, 1 / 3))

/**
 * Plain numbers and nothing made: it runs once for every 64 bytes of a film.
 *
 * @param {Int32Array} state @param {Int32Array} w @param {Uint8Array} bytes @param {number} at
 */
function compress(state, w, bytes, at) {
  const byte = (/** @type {number} */ i) => /** @type {number} */ (bytes[i])
  for (let i = 0, from = at; i < 16; i++, from += 4)
    w[i] = (byte(from) << 24) | (byte(from + 1) << 16) | (byte(from + 2) << 8) | byte(from + 3)
  const scheduled = (/** @type {number} */ i) => /** @type {number} */ (w[i])
  for (let i = 16; i < ROUNDS; i++) {
    const b = scheduled(i - 15)
    const d = scheduled(i - 2)
    const low = ((b >>> 7) | (b << 25)) ^ ((b >>> 18) | (b << 14)) ^ (b >>> 3)
    const high = ((d >>> 17) | (d << 15)) ^ ((d >>> 19) | (d << 13)) ^ (d >>> 10)
    w[i] = (scheduled(i - 16) + low + scheduled(i - 7) + high) | 0
  }
  const word = (/** @type {number} */ i) => /** @type {number} */ (state[i])
  let [a, b, c, d] = [word(0), word(1), word(2), word(3)]
  let [e, f, g, h] = [word(4), word(5), word(6), word(7)]
  for (let i = 0; i < ROUNDS; i++) {
    const sumE = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const first = (h + sumE + ((e & f) ^ (~e & g)) + /** @type {number} */ (CONSTANTS[i]) + scheduled(i)) | 0
    const sumA = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const second = (sumA + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + first) | 0
    d = c
    c = b
    b = a
    a = (first + second) | 0
  }
  state[0] = word(0) + a
  state[1] = word(1) + b
  state[2] = word(2) + c
  state[3] = word(3) + d
  state[4] = word(4) + e
  state[5] = word(5) + f
  state[6] = word(6) + g
  state[7] = word(7) + h
}

/** @param {Uint8Array} bytes */
function hexOf(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
