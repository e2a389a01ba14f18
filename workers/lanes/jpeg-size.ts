// Width and height of a JPEG made by our own tools, from its frame header (ITU T.81, B.2.2).

import type { MediaSource } from '../media/source.ts'
import { ToolError } from '../media/tool-error.ts'

const HEAD_BYTES = 64 * 1024

/** Throws OUTPUT_INVALID if the file is no JPEG. */
export async function jpegSize(source: MediaSource): Promise<{ width: number; height: number }> {
  const bytes = await source.readAt(0, HEAD_BYTES)
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) throw invalid()
  for (let at = 2; at + 9 <= bytes.length; ) {
    const marker = bytes.readUInt16BE(at)
    if (isFrame(marker)) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  throw invalid()
}

/** SOF0 to SOF15 without the three numbers that have another meaning (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)
}

function invalid(): ToolError {
  return new ToolError('OUTPUT_INVALID', 'system', 'the picture is no JPEG')
}
