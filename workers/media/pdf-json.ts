// The objects of a PDF as qpdf tells them in JSON. The text is kept whole and an object is parsed when somebody asks for
// it: a walk that follows what a viewer follows meets a small part of them.
//
// Neither a string nor a name in the file can imitate a boundary: inside JSON strings line breaks are escaped.

export type PdfValue = null | boolean | number | string | PdfValue[] | PdfDict
export type PdfDict = { [key: string]: PdfValue }

/** What stands behind a value once its references are followed. */
export type Resolved = {
  value: PdfValue
  /** The object number; null for what stands directly in another object. */
  id: number | null
  /** The reference to it, e.g. `3 0 R`. */
  reference: string | null
  /** `value` is the dictionary of a stream. */
  isStream: boolean
}

export type PdfObjects = {
  trailer: PdfDict
  /** Of the file; a new object can have the number behind it. */
  maxId: number
  /** Encrypted; and whether it opens for a reader who types no password. */
  encryption: { encrypted: boolean; opens: boolean }
  /** Follows references. A reference to an object that is not there gives null, as in every viewer. */
  resolve(value: PdfValue | undefined): Resolved
  /** The dictionary (of a stream, too) behind a value, or null. */
  dict(value: PdfValue | undefined): PdfDict | null
  /** Bytes of all streams that are no pictures, as they lie in the file. */
  contentBytes(): number
}

const OBJECT_MARK = '\n      "obj:'
const TRAILER_MARK = '\n      "trailer": '
const OBJECT_END = '\n      }'
const REFERENCE = /^(\d+) \d+ R$/
/** A chain of references longer than this is a loop. */
const MAX_HOPS = 32
const CACHE_OBJECTS = 2_000
/** Larger objects (a list of 100,000 pages) are parsed anew. */
const CACHED_CHARS = 8_192

/** The arguments that give what {@link readObjects} reads. No stream is decoded but those that hold objects. */
export const OBJECTS_ARGS: readonly string[] = [
  '--json=2',
  '--json-key=encrypt',
  '--json-key=qpdf',
  // Else qpdf decodes all streams to see which filters it can name, also those that it does not print.
  '--decode-level=none',
]

const NOTHING: Resolved = { value: null, id: null, reference: null, isStream: false }

export function isDict(value: PdfValue | undefined): value is PdfDict {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * @param json all that qpdf printed for {@link OBJECTS_ARGS}
 * @throws {SyntaxError} where it is no such JSON
 */
export function readObjects(json: Buffer): PdfObjects {
  const places = placesOf(json)
  const cache = new Map<number, Resolved>()

  const load = (id: number): Resolved => {
    const cached = cache.get(id)
    if (cached !== undefined) return cached
    const start = places.get(id)
    if (start === undefined) return { ...NOTHING, id }
    const text = bodyAt(json, start)
    const loaded = { ...unwrapped(text), id, reference: referenceAt(json, start) }
    if (text.length <= CACHED_CHARS) {
      if (cache.size >= CACHE_OBJECTS) cache.clear()
      cache.set(id, loaded)
    }
    return loaded
  }
  const resolve = (value: PdfValue | undefined): Resolved => {
    let at: Resolved = { ...NOTHING, value: value ?? null }
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      const [, number] = typeof at.value === 'string' ? (REFERENCE.exec(at.value) ?? []) : []
      if (number === undefined) return at
      at = load(Number(number))
    }
    return NOTHING
  }
  const trailerAt = json.indexOf(TRAILER_MARK)
  const trailer = trailerAt < 0 ? null : unwrapped(bodyAt(json, trailerAt)).value
  return {
    trailer: isDict(trailer) ? trailer : {},
    maxId: largest(places.keys()),
    encryption: encryptionOf(json),
    resolve,
    dict(value) {
      const { value: found } = resolve(value)
      return isDict(found) ? found : null
    },
    contentBytes() {
      let bytes = 0
      for (const id of places.keys()) {
        const { value, isStream } = load(id)
        if (!isStream || !isDict(value) || value['/Subtype'] === '/Image') continue
        const { value: length } = resolve(value['/Length'])
        if (typeof length === 'number') bytes += length
      }
      return bytes
    },
  }
}

/** Where each object begins, by its number. */
function placesOf(json: Buffer): Map<number, number> {
  const places = new Map<number, number>()
  for (let at = json.indexOf(OBJECT_MARK); at >= 0; at = json.indexOf(OBJECT_MARK, at + 1)) {
    const from = at + OBJECT_MARK.length
    const id = Number.parseInt(json.toString('latin1', from, from + 10), 10)
    places.set(id, at)
  }
  return places
}

function largest(ids: Iterable<number>): number {
  let most = 0
  for (const id of ids) if (id > most) most = id
  return most
}

function referenceAt(json: Buffer, start: number): string {
  const from = start + OBJECT_MARK.length
  return json.toString('latin1', from, json.indexOf('"', from))
}

/** The JSON text of the object whose mark is at `start`. */
function bodyAt(json: Buffer, start: number): string {
  const from = json.indexOf('": ', start) + 3
  const end = json.indexOf(OBJECT_END, from)
  return json.toString('utf8', from, end < 0 ? json.length : end + OBJECT_END.length)
}

function unwrapped(text: string): Pick<Resolved, 'value' | 'isStream'> {
  const body: { value?: PdfValue; stream?: { dict: PdfValue } } = JSON.parse(text)
  return body.stream === undefined
    ? { value: body.value ?? null, isStream: false }
    : { value: body.stream.dict, isStream: true }
}

/** As a reader without a password: one whose empty *owner* password fits needs a tool that asks for that. */
function encryptionOf(json: Buffer): PdfObjects['encryption'] {
  const head = json.toString('latin1', 0, 4096)
  const encrypted = /"encrypted": true/.test(head)
  return { encrypted, opens: !encrypted || /"userpasswordmatched": true/.test(head) }
}
