// How much processor time the tools get for a PDF. It grows with the bytes and the pages of the file: whoever sends four
// kilobytes gets seconds, and so does a book of scans, whose pictures are not decoded.

import type { ToolLimits } from './run.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

const COMMON: ToolLimits = {
  // Processor time decides, so that a busy machine does not turn a file's doing into ours.
  wallMs: 180_000,
  cpuSeconds: 6,
  memoryBytes: GIB,
  outputBytes: 160 * MIB,
  fileBytes: MIB,
}

/** For listing the objects: some 40,000 a second. */
export function listingLimits(bytes: number): ToolLimits {
  return { ...COMMON, cpuSeconds: Math.min(6 + bytes / (4 * MIB), 15) }
}

/** For reading the texts of all pages: some 50,000 pages, or 2 MiB of packed contents, a second. */
export function readingLimits(bytes: number, pages: number): ToolLimits {
  return { ...COMMON, cpuSeconds: Math.min(2 + bytes / (4 * MIB) + pages / 20_000, 10) }
}

/** For drawing one page: 300 million points of a picture take some five seconds. */
export function drawingLimits(bytes: number): ToolLimits {
  return { ...COMMON, memoryBytes: 2 * GIB, cpuSeconds: Math.min(2 + bytes / (16 * MIB), 6) }
}

/** For a copy, into which nothing is decoded. */
export function copyingLimits(bytes: number): ToolLimits {
  return { ...listingLimits(bytes), fileBytes: 2 * bytes + 64 * MIB }
}

/** Fewer bytes of packed contents than this cannot take so long by honest means. */
const HONEST_BYTES_A_SECOND = 128 * 1024

/**
 * Whether a file that came to a limit of processor time or memory is to blame for it: its contents are far too small for
 * the time that they took, because they unpack to a thousandfold or draw each other over and over.
 */
export function isAmplified(contentBytes: number, limits: ToolLimits): boolean {
  return contentBytes < limits.cpuSeconds * HONEST_BYTES_A_SECOND
}
