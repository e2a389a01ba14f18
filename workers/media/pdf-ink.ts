// Whether a drawn page is empty. Decided by its picture, not by its text, because school papers are often scans.

/** The picture of a PGM stream (`P5 width height 255` and the pixels), or null if it is incomplete. */
export function readGrayMap(stream: Buffer): Buffer | null {
  const header = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(stream.toString('latin1', 0, 64))
  if (!header) return null
  const start = header[0].length
  const end = start + Number(header[1]) * Number(header[2])
  return end > stream.length ? null : stream.subarray(start, end)
}

/** Poppler draws on white. */
const NEARLY_WHITE = 235

export function isBlank(pixels: Buffer): boolean {
  return pixels.every((value) => value >= NEARLY_WHITE)
}
