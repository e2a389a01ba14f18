// Changing an MP4 by its bytes. Written apart from the reader under test, so that one cannot hide the other's mistakes.

type Place = { type: string; start: number; end: number; body: number; parents: string[] }

const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'edts', 'minf', 'stbl', 'dinf', 'mvex', 'moof', 'traf'])

/** All boxes, at any depth. */
export function boxes(file: Buffer, start = 0, end = file.length, parents: string[] = []): Place[] {
  const found: Place[] = []
  for (let at = start; at + 8 <= end; ) {
    const type = file.toString('latin1', at + 4, at + 8)
    const short = file.readUInt32BE(at)
    const size = short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short
    if (size < 8) break
    const body = at + (short === 1 ? 16 : 8)
    found.push({ type, start: at, end: at + size, body, parents })
    if (CONTAINERS.has(type)) found.push(...boxes(file, body, Math.min(end, at + size), [...parents, type]))
    at += size
  }
  return found
}

export function places(file: Buffer, type: string): Place[] {
  return boxes(file).filter((box) => box.type === type)
}

/** Multiplies every duration that headers and edit lists claim; the samples stay as they are. */
export function scaleClaims(file: Buffer, factor: number): Buffer {
  const forged = Buffer.from(file)
  const scale = (at: number): void => {
    forged.writeUInt32BE(Math.round(forged.readUInt32BE(at) * factor), at)
  }
  // version 0: version and flags, created, modified, then (timescale, duration) or (track, reserved, duration)
  for (const { body } of places(file, 'mvhd')) scale(body + 16)
  for (const { body } of places(file, 'tkhd')) scale(body + 20)
  for (const { body } of places(file, 'mdhd')) scale(body + 16)
  for (const { body } of places(file, 'elst')) {
    for (let i = 0; i < forged.readUInt32BE(body + 4); i++) scale(body + 8 + i * 12)
  }
  return forged
}

/** Sets the movie header's claim alone. */
export function setMovieSeconds(file: Buffer, seconds: number): Buffer {
  const forged = Buffer.from(file)
  for (const { body } of places(file, 'mvhd')) {
    forged.writeUInt32BE(Math.round(seconds * forged.readUInt32BE(body + 12)), body + 16)
  }
  return forged
}

/** The video track's matrix for a clockwise turn. */
export function setMatrix(file: Buffer, degrees: 90 | 180 | 270): Buffer {
  const turns = { 90: [0, 1, -1, 0], 180: [-1, 0, 0, -1], 270: [0, -1, 1, 0] } as const
  return setMatrixTo(file, turns[degrees])
}

/** The video track's matrix; a, b, c and d of it. */
export function setMatrixTo(file: Buffer, [a, b, c, d]: readonly [number, number, number, number]): Buffer {
  const turned = Buffer.from(file)
  const track = places(file, 'tkhd')[0]
  if (!track) throw new Error('no track')
  const matrix = track.body + 40
  const put = (value: number, at: number): void => {
    turned.writeInt32BE(value * 0x10000, matrix + at)
  }
  put(a, 0)
  put(b, 4)
  put(c, 12)
  put(d, 16)
  return turned
}

/** Takes away the flag that says that the samples are in this file. */
export function clearSelfContained(file: Buffer): Buffer {
  const marked = Buffer.from(file)
  // dref: version and flags, count, then an entry's length, type, version and flags
  for (const { body } of places(file, 'dref')) marked.writeUInt32BE(0, body + 16)
  return marked
}

/** Renames a box, which makes readers skip it. */
export function renameBox(file: Buffer, type: string, name: string): Buffer {
  const renamed = Buffer.from(file)
  for (const { start } of places(file, type)) renamed.write(name, start + 4, 'latin1')
  return renamed
}
