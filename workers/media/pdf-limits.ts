// CPU time limits of the tools for a PDF. They grow with the bytes and the pages of the file: a file of four kilobytes gets
// seconds, and so does a book of scans, because its pictures are not decoded.

import type { ToolLimits } from './run.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

const COMMON: ToolLimits = {
  // CPU time decides, so that on a busy machine a slow file does not count as a system error.
  wallMs: 180_000,
  cpuSeconds: 6,
  memoryBytes: GIB,
  outputBytes: 160 * MIB,
  fileBytes: MIB,
}

/** For listing the objects: about 40,000 per second. */
export function listingLimits(bytes: number): ToolLimits {
  return { ...COMMON, cpuSeconds: Math.min(6 + bytes / (4 * MIB), 15) }
}

/** For reading the texts of all pages: about 50,000 pages, or 2 MiB of compressed contents, per second. */
export function readingLimits(bytes: number, pages: number): ToolLimits {
  return { ...COMMON, cpuSeconds: Math.min(2 + bytes / (4 * MIB) + pages / 20_000, 10) }
}

/** For drawing one page: a picture of 300 million pixels takes about five seconds. */
export function drawingLimits(bytes: number): ToolLimits {
  return { ...COMMON, memoryBytes: 2 * GIB, cpuSeconds: Math.min(2 + bytes / (16 * MIB), 6) }
}

/** For a copy without decoding. */
export function copyingLimits(bytes: number): ToolLimits {
  return { ...listingLimits(bytes), fileBytes: 2 * bytes + 64 * MIB }
}

/** Compressed contents below this size do not take this long in a legitimate file. */
const HONEST_BYTES_A_SECOND = 128 * 1024

/**
 * Whether a limit of CPU time or memory was reached because of the file: its contents are far too small for
 * the time that they took, because they unpack a thousandfold or draw each other repeatedly.
 */
export function isAmplified(contentBytes: number, limits: ToolLimits): boolean {
  return contentBytes < limits.cpuSeconds * HONEST_BYTES_A_SECOND
}
