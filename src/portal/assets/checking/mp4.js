// How long an MP4 or MOV is, and whether picture and sound are in it: read from its index (ISO/IEC 14496-12), a few kibibytes
// of a file of gigabytes. Every number comes from the file and may be wrong: bounds are checked before anything is read.

/**
 * @typedef {object} Mp4Facts
 * @property {number | null} durationSeconds the longest track; null where the index does not say (fragments)
 * @property {boolean} picture
 * @property {boolean} sound
 * @property {boolean} complete every box ends within the file, and there is an index
 */

/** An index of an hour is one or two MiB; more than this is not worth a phone's memory. */
const MAX_INDEX_BYTES = 48 * 1024 * 1024
const MAX_TOP_LEVEL_BOXES = 10_000
const BOX_HEADER_BYTES = 16

/**
 * @param {Blob} file
 * @returns {Promise<Mp4Facts | undefined>} undefined: it cannot be told here, the service will
 */
export async function readMp4(file) {
  let at = 0
  for (let boxes = 0; at < file.size && boxes < MAX_TOP_LEVEL_BOXES; boxes++) {
    const header = view(await file.slice(at, at + BOX_HEADER_BYTES).arrayBuffer())
    const box = boxAt(header, 0, file.size - at)
    if (box === undefined) return { ...NOTHING, complete: false }
    const end = at + box.size
    if (end > file.size) return { ...NOTHING, complete: false }
    if (box.type === 'moov') {
      if (box.size > MAX_INDEX_BYTES) return undefined
      const facts = readIndex(view(await file.slice(at + box.header, end).arrayBuffer()))
      return facts && { ...facts, complete: await restIsWhole(file, end) }
    }
    at = end
  }
  return at >= file.size ? { ...NOTHING, complete: false } : undefined
}

/** @type {Mp4Facts} */
const NOTHING = { durationSeconds: null, picture: false, sound: false, complete: true }

/** Whether the boxes behind the index end within the file: half a copy has the index and not the rest. @param {Blob} file @param {number} from */
async function restIsWhole(file, from) {
  let at = from
  for (let boxes = 0; at < file.size && boxes < MAX_TOP_LEVEL_BOXES; boxes++) {
    const box = boxAt(view(await file.slice(at, at + BOX_HEADER_BYTES).arrayBuffer()), 0, file.size - at)
    // A few bytes behind the last box are what some cameras leave; players do not mind.
    if (box === undefined) return true
    if (at + box.size > file.size) return false
    at += box.size
  }
  return true
}

/** @param {DataView} moov its content @returns {Omit<Mp4Facts, 'complete'> | undefined} */
function readIndex(moov) {
  const tracks = children(moov).filter(({ type }) => type === 'trak')
  // A compressed index of an old QuickTime, perhaps.
  if (tracks.length === 0) return undefined
  const read = tracks.map((track) => readTrack(track.content))
  const lengths = read.flatMap(({ seconds }) => (seconds > 0 ? [seconds] : []))
  return {
    durationSeconds: lengths.length > 0 ? Math.max(...lengths) : null,
    picture: read.some(({ handler }) => handler === 'vide'),
    sound: read.some(({ handler }) => handler === 'soun'),
  }
}

/** @param {DataView} trak */
function readTrack(trak) {
  const media = children(trak).find(({ type }) => type === 'mdia')
  const inside = media === undefined ? [] : children(media.content)
  const head = inside.find(({ type }) => type === 'mdhd')?.content
  const handler = inside.find(({ type }) => type === 'hdlr')?.content
  return {
    seconds: head === undefined ? 0 : mediaSeconds(head),
    handler: handler === undefined || handler.byteLength < 12 ? '' : fourCharacters(handler, 8),
  }
}

/** `mdhd`: version, flags, two times, time scale, duration; in version 1 times and duration have 64 bits. @param {DataView} head */
function mediaSeconds(head) {
  const wide = head.byteLength > 0 && head.getUint8(0) === 1
  if (head.byteLength < (wide ? 32 : 20)) return 0
  const scale = head.getUint32(wide ? 20 : 12)
  const duration = wide ? Number(head.getBigUint64(24)) : head.getUint32(16)
  const unknown = wide ? duration >= Number(0xffff_ffff_ffff_ffffn) : duration === 0xffff_ffff
  return scale === 0 || unknown ? 0 : duration / scale
}

/** The boxes inside a box, as far as they are whole. @param {DataView} content */
function children(content) {
  /** @type {{type: string, content: DataView}[]} */
  const found = []
  for (let at = 0; at + 8 <= content.byteLength; ) {
    const box = boxAt(content, at, content.byteLength - at)
    if (box === undefined || box.size > content.byteLength - at) break
    const from = content.byteOffset + at + box.header
    found.push({ type: box.type, content: new DataView(content.buffer, from, box.size - box.header) })
    at += box.size
  }
  return found
}

/**
 * A box's header. Size 1 announces 64 bits, 0 "to the end".
 * @param {DataView} bytes @param {number} at @param {number} left bytes from here to the end
 */
function boxAt(bytes, at, left) {
  if (bytes.byteLength < at + 8) return undefined
  const short = bytes.getUint32(at)
  const type = fourCharacters(bytes, at + 4)
  if (short === 1 && bytes.byteLength < at + 16) return undefined
  const header = short === 1 ? 16 : 8
  const size = short === 1 ? Number(bytes.getBigUint64(at + 8)) : short === 0 ? left : short
  return size < header ? undefined : { type, header, size }
}

/** @param {DataView} bytes @param {number} at */
function fourCharacters(bytes, at) {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => bytes.getUint8(at + i)))
}

/** @param {ArrayBuffer} buffer */
function view(buffer) {
  return new DataView(buffer)
}
