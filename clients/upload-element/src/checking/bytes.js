// Bytes of a file, with the reading methods of Node's Buffer that the MP4 reader calls: the reader is the service's own.

class Bytes extends Uint8Array {
  get #view() {
    return new DataView(this.buffer, this.byteOffset, this.byteLength)
  }

  /** @param {number} at */
  readUInt8(at) {
    return this.#view.getUint8(at)
  }

  /** @param {number} at */
  readUInt16BE(at) {
    return this.#view.getUint16(at)
  }

  /** @param {number} at */
  readUInt32BE(at) {
    return this.#view.getUint32(at)
  }

  /** @param {number} at */
  readInt32BE(at) {
    return this.#view.getInt32(at)
  }

  /** @param {number} at */
  readBigUInt64BE(at) {
    return this.#view.getBigUint64(at)
  }

  /** @param {number} at */
  readBigInt64BE(at) {
    return this.#view.getBigInt64(at)
  }

  /** @param {number} at @param {number} length */
  readUIntBE(at, length) {
    return this.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0)
  }

  /** As latin1; the reader uses nothing else. @override @param {any} [_encoding] @param {number} [from] @param {number} [to] */
  toString(_encoding, from = 0, to = this.length) {
    return Array.from(this.subarray(from, to), (byte) => String.fromCharCode(byte)).join('')
  }
}

/** @param {Blob} file @returns {import('../../../../src/media/mp4/top-level.ts').ByteSource} */
export function blobSource(file) {
  const readAt = async (/** @type {number} */ position, /** @type {number} */ length) =>
    new Bytes(await file.slice(position, position + length).arrayBuffer())
  return /** @type {any} */ ({ bytes: file.size, readAt })
}
