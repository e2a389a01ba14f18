// How long an MP4 or MOV is, and whether picture and sound are in it: read from its index (ISO/IEC 14496-12), a few kibibytes
// of a file of gigabytes. Every number comes from the file and may be wrong: bounds are checked before anything is read.

/**
 * @typedef {object} Mp4Facts
 * @property {number | null} durationSeconds of the longest track; null where the index does not say (fragments)
 * @property {boolean} picture
 * @property {boolean} sound
 * @property {boolean} complete every box ends within the file, and there is an index
 */

/** An index of an hour is one or two MiB; more than this is not worth a phone's memory. */
const MAX_INDEX_BYTES = 48 * 1024 * 1024
const MAX_TOP_LEVEL_BOXES = 10_000
const BOX_HEADER_BYTES = 16
/** A trim without re-encoding hides up to one group of pictures behind an edit list. */
const HONEST_TRIM_SECONDS = 12
const EMPTY = new DataView(new ArrayBuffer(0))

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
  const boxes = children(moov)
  const head = boxes.find(({ type }) => type === 'mvhd')?.content
  const movieScale = head === undefined ? 0 : timesOf(head).scale
  const tracks = boxes.flatMap(({ type, content }) =>
    type === 'trak' ? [readTrack(content, movieScale)] : [],
  )
  // A compressed index of an old QuickTime, perhaps.
  if (tracks.length === 0) return undefined
  return {
    durationSeconds: judged(
      Math.max(...tracks.map(({ seconds }) => seconds)),
      Math.max(...tracks.map(({ edited }) => edited)),
    ),
    picture: tracks.some(({ handler }) => handler === 'vide'),
    sound: tracks.some(({ handler }) => handler === 'soun'),
  }
}

/** The edited length where it differs by an honest trim only, else the longer; as the service judges. @param {number} seconds @param {number} edited */
function judged(seconds, edited) {
  if (seconds <= 0) return null
  return Math.abs(seconds - edited) <= HONEST_TRIM_SECONDS ? edited : Math.max(seconds, edited)
}

/** @param {DataView} trak @param {number} movieScale */
function readTrack(trak, movieScale) {
  const boxes = children(trak)
  const media = children(boxes.find(({ type }) => type === 'mdia')?.content ?? EMPTY)
  const edits = children(boxes.find(({ type }) => type === 'edts')?.content ?? EMPTY)
  const head = media.find(({ type }) => type === 'mdhd')?.content
  const handler = media.find(({ type }) => type === 'hdlr')?.content
  const list = edits.find(({ type }) => type === 'elst')?.content
  const times = head === undefined ? { scale: 0, duration: 0 } : timesOf(head)
  const seconds = times.scale === 0 ? 0 : times.duration / times.scale
  const edited = list === undefined || movieScale === 0 ? 0 : editedUnits(list) / movieScale
  return {
    seconds,
    edited: edited > 0 ? edited : seconds,
    handler: handler === undefined || handler.byteLength < 12 ? '' : fourCharacters(handler, 8),
  }
}

/** `elst`: version, flags, count; length, start and rate of each piece. A start of -1 is a pause. @param {DataView} list */
function editedUnits(list) {
  if (list.byteLength < 8) return 0
  const wide = list.getUint8(0) === 1
  const entryBytes = wide ? 20 : 12
  const count = Math.min(list.getUint32(4), Math.floor((list.byteLength - 8) / entryBytes))
  let units = 0
  for (let i = 0; i < count; i++) {
    const at = 8 + i * entryBytes
    const start = wide ? Number(list.getBigInt64(at + 8)) : list.getInt32(at + 4)
    if (start !== -1) units += wide ? Number(list.getBigUint64(at)) : list.getUint32(at)
  }
  return units
}

/**
 * `mvhd` and `mdhd` begin alike: version, flags, two times, time scale, duration; in version 1 times and duration have 64 bits.
 * @param {DataView} head
 */
function timesOf(head) {
  const wide = head.byteLength > 0 && head.getUint8(0) === 1
  if (head.byteLength < (wide ? 32 : 20)) return { scale: 0, duration: 0 }
  const duration = wide ? Number(head.getBigUint64(24)) : head.getUint32(16)
  const unknown = wide ? duration >= Number(0xffff_ffff_ffff_ffffn) : duration === 0xffff_ffff
  return { scale: head.getUint32(wide ? 20 : 12), duration: unknown ? 0 : duration }
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
