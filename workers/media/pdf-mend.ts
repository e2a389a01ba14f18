// Repaired copies of a PDF: errors that viewers tolerate are corrected, so that qpdf and poppler accept the file too. Only
// structural bytes are changed, and they keep their positions.

import { constants } from 'node:fs'
import { copyFile, open, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSource, type LocalSource } from './source.ts'

/** How far from the end the end mark is searched. */
const TAIL_BYTES = 1024 * 1024
const END = '%%EOF'
/** qpdf and poppler search the end mark in the last KiB. */
const SEEN_BY_TOOLS_BYTES = 512
const PIECE_BYTES = 4 * 1024 * 1024
/** Longer than the longest text that is searched. */
const OVERLAP_BYTES = 4096

/**
 * Where the file ends by its own end mark, or null: objects behind the last mark were cut off.
 * Scanners pad with zeros, and web servers append whole pages.
 */
export async function findEnd(source: LocalSource): Promise<number | null> {
  const start = Math.max(0, source.bytes - TAIL_BYTES)
  const tail = await source.readAt(start, TAIL_BYTES)
  const at = tail.lastIndexOf(END, undefined, 'latin1')
  if (at < 0) return null
  const behind = tail.toString('latin1', at + END.length)
  return /\d+\s+\d+\s+obj\b/.test(behind) ? null : start + at + END.length
}

/** Copy without the bytes after the end mark, if there are more than the tools search. */
export async function withoutTail(source: LocalSource, end: number, folder: string): Promise<string | null> {
  if (source.bytes - end <= SEEN_BY_TOOLS_BYTES) return null
  const path = await copied(source.path, folder, 'trimmed.pdf')
  await truncate(path, end)
  return path
}

/** Replaces numbers beyond 64 bits, for which qpdf drops the complete object, by the largest of 31 bits. */
export async function withoutHugeNumbers(path: string, folder: string): Promise<string> {
  return await replaced(path, folder, 'numbers.pdf', /(?<![\d.])\d{19,}(?![\d.])/g, (digits) =>
    '2147483647'.padStart(digits.length, '0'),
  )
}

/** Replaces `/Encrypt` by {@link HIDDEN_ENCRYPT}: for files of which only the attachments are encrypted. */
export async function withoutLock(path: string, folder: string): Promise<string> {
  return await replaced(path, folder, 'unlocked.pdf', /\/Encrypt(?=[\s<\d])/g, () => HIDDEN_ENCRYPT)
}

export const HIDDEN_ENCRYPT = '/EncrypX'

/**
 * Corrects a wrong `startxref`: it points to the last cross-reference stream.
 *
 * @returns null if there is no such stream
 */
export async function withTablePointer(path: string, folder: string): Promise<string | null> {
  const tables: { at: number; previous: number | null }[] = []
  await scan(path, (text, from) => {
    for (const found of text.matchAll(/(\d+)\s+(\d+)\s+obj\s*<<((?:(?!endobj|stream)[\s\S]){0,2000})/g)) {
      const [, , , dictionary = ''] = found
      if (!/\/Type\s*\/XRef\b/.test(dictionary)) continue
      const [, previous] = /\/Prev\s+(\d+)/.exec(dictionary) ?? []
      tables.push({ at: from + found.index, previous: previous === undefined ? null : Number(previous) })
    }
  })
  const before = new Set(tables.map(({ previous }) => previous))
  const newest = tables.filter(({ at }) => !before.has(at)).at(-1)
  if (newest === undefined) return null
  const copy = await copied(path, folder, 'pointed.pdf')
  const file = await open(copy, 'a')
  try {
    await file.write(`\nstartxref\n${newest.at}\n${END}\n`)
  } finally {
    await file.close()
  }
  return copy
}

async function copied(path: string, folder: string, name: string): Promise<string> {
  const copy = join(folder, name)
  await copyFile(path, copy, constants.COPYFILE_FICLONE)
  return copy
}

/** `by` returns as many bytes as it gets. */
async function replaced(
  path: string,
  folder: string,
  name: string,
  what: RegExp,
  by: (found: string) => string,
): Promise<string> {
  const places: { at: number; text: string }[] = []
  await scan(path, (text, from) => {
    for (const found of text.matchAll(what)) places.push({ at: from + found.index, text: by(found[0]) })
  })
  const copy = await copied(path, folder, name)
  const file = await open(copy, 'r+')
  try {
    for (const { at, text } of places) await file.write(text, at, 'latin1')
  } finally {
    await file.close()
  }
  return copy
}

/** Yields the complete file in overlapping pieces, as text with one character per byte. */
async function scan(path: string, onPiece: (text: string, from: number) => void): Promise<void> {
  const source = await fileSource(path)
  for (let from = 0; from < source.bytes; from += PIECE_BYTES) {
    const piece = await source.readAt(from, PIECE_BYTES + OVERLAP_BYTES)
    onPiece(piece.toString('latin1'), from)
  }
}
