// The clients' data: one buffer, sent repeatedly. It begins like an MP4, for servers that check the first bytes.

const MIB = 1024 * 1024
const NAME = 'bench.mp4'
const TYPE = 'video/mp4'

/** An `ftyp` box, then an `mdat` box that lasts to the end of the file. */
const MP4_START = Buffer.from('\0\0\0\u0020ftypisom\0\0\u0002\0isomiso2avc1mp41\0\0\0\0mdat', 'latin1')

/** One MiB. The filler is noise (xorshift), so that no file system compresses it. */
export function createPayload(): Buffer {
  const payload = Buffer.alloc(MIB)
  let noise = 0x9e3779b9
  for (let at = 0; at < MIB; at += 4) {
    noise ^= noise << 13
    noise ^= noise >>> 17
    noise ^= noise << 5
    payload.writeInt32LE(noise, at)
  }
  MP4_START.copy(payload)
  return payload
}

/** Value of Upload-Metadata. */
export const UPLOAD_METADATA = [
  `filename ${Buffer.from(NAME).toString('base64')}`,
  `filetype ${Buffer.from(TYPE).toString('base64')}`,
].join(',')
