// Shapes of the files: a real clip or PDF, complete or damaged as in practice.

import { places } from '../../../test/support/media/mp4-bytes.ts'
import type { PlannedUpload } from '../plan/plan.ts'
import type { Shape } from './rehearsal-file.ts'

const BOX_HEADER_BYTES = 8
const MARK_BYTES = 32
/** The box declares more bytes than the file has: a third of the recording is missing. */
const CUT_FACTOR = 1.5
const PDF_START = '%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n'

/** @param clip an MP4 with its index before its media, smaller than the wanted file */
export function shapeOf({ kind, damage, fileBytes }: PlannedUpload, clip: Buffer): Shape {
  if (kind === 'pdf') return damage === 'none' ? pdf(fileBytes) : cutPdf(fileBytes)
  if (damage === 'none') return paddedClip(clip, fileBytes)
  return damage === 'noIndex' ? withoutIndex(clip, fileBytes) : cutShort(clip, fileBytes)
}

/** The clip, then a `free` box, which players skip (ISO/IEC 14496-12, 8.1.2). */
function paddedClip(clip: Buffer, bytes: number): Shape {
  const boxBytes = bytes - clip.length
  const fillBytes = boxBytes - BOX_HEADER_BYTES - MARK_BYTES
  const start = Buffer.concat([clip, boxHeader('free', boxBytes)])
  return { start, fillBytes: atLeastOne(fillBytes), end: Buffer.alloc(MARK_BYTES), markAt: 0 }
}

/** A recording of a camera that lost power: media without an index. */
function withoutIndex(clip: Buffer, bytes: number): Shape {
  const ftyp = box(clip, 'ftyp')
  const start = Buffer.concat([ftyp, boxHeader('mdat', Math.round(bytes * CUT_FACTOR))])
  return { start, fillBytes: bytes - start.length - MARK_BYTES, end: Buffer.alloc(MARK_BYTES), markAt: 0 }
}

/** An interrupted copy: the index is in front, but samples lie behind the end of the file. */
function cutShort(clip: Buffer, bytes: number): Shape {
  const moov = Buffer.from(box(clip, 'moov'))
  for (const { body } of places(moov, 'stco')) {
    const entries = moov.readUInt32BE(body + 4)
    for (let at = body + 8; at < body + 8 + 4 * entries; at += 4) moov.writeUInt32BE(moov.readUInt32BE(at) + bytes, at)
  }
  const start = Buffer.concat([box(clip, 'ftyp'), moov, boxHeader('mdat', Math.round(bytes * CUT_FACTOR))])
  return { start, fillBytes: bytes - start.length - MARK_BYTES, end: Buffer.alloc(MARK_BYTES), markAt: 0 }
}

/** One page, and before it a stream of noise that no page uses. */
function pdf(bytes: number): Shape {
  // The file contains the length of the padding as text, which changes the file's length: two rounds are enough.
  let fillBytes = bytes
  let parts = pdfParts(fillBytes)
  for (let round = 0; round < 2; round++) {
    fillBytes = atLeastOne(bytes - parts.start.length - parts.end.length)
    parts = pdfParts(fillBytes)
  }
  return { ...parts, fillBytes, markAt: 0 }
}

/** The same, truncated before its pages. */
function cutPdf(bytes: number): Shape {
  const { start } = pdfParts(bytes * CUT_FACTOR)
  return { start, fillBytes: bytes - start.length - MARK_BYTES, end: Buffer.alloc(MARK_BYTES), markAt: 0 }
}

function pdfParts(fillBytes: number): { start: Buffer; end: Buffer } {
  const stream = `1 0 obj\n<< /Length ${String(Math.round(fillBytes) + MARK_BYTES).padStart(10, '0')} >>\nstream\n`
  const start = Buffer.from(PDF_START + stream, 'latin1')
  const objects = [
    '<< /Type /Catalog /Pages 3 0 R >>',
    '<< /Type /Pages /Kids [4 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 3 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 5 0 R >>',
    '<< /Length 29 >>\nstream\n0.2 0.5 0.4 rg 60 60 300 9 re f\nendstream',
  ].map((object) => object.replace('/Length 29', `/Length ${'0.2 0.5 0.4 rg 60 60 300 9 re f'.length}`))
  let text = '\nendstream\nendobj\n'
  const offsets = [PDF_START.length]
  const base = start.length + Math.round(fillBytes) + MARK_BYTES
  for (const [i, object] of objects.entries()) {
    offsets.push(base + text.length)
    text += `${i + 2} 0 obj\n${object}\nendobj\n`
  }
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')
  const xref = String(base + text.length).padStart(10, '0')
  text += `xref\n0 6\n0000000000 65535 f \n${table}trailer\n<< /Size 6 /Root 2 0 R >>\nstartxref\n${xref}\n%%EOF\n`
  return { start, end: Buffer.concat([Buffer.alloc(MARK_BYTES), Buffer.from(text, 'latin1')]) }
}

function box(file: Buffer, type: string): Buffer {
  const place = places(file, type)[0]
  if (place === undefined) throw new Error(`a clip without ${type}`)
  return file.subarray(place.start, place.end)
}

function boxHeader(type: string, bytes: number): Buffer {
  const header = Buffer.alloc(BOX_HEADER_BYTES)
  header.writeUInt32BE(bytes, 0)
  header.write(type, 4, 'latin1')
  return header
}

function atLeastOne(bytes: number): number {
  if (bytes < 1) throw new RangeError('the wanted size is too small for the contents')
  return bytes
}
