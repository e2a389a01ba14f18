// Files that are not all there, or no longer what they were.

import { readFile, writeFile } from 'node:fs/promises'
import type { Corpus } from './corpus.ts'
import { places } from './mp4-bytes.ts'
import { wipeMedia } from './mp4-edit.ts'

/** A file cut at a byte. `at`: from the start, or from the end where negative. */
export async function cutAt(
  corpus: Corpus,
  source: string,
  name: string,
  at: number | ((bytes: Buffer) => number),
): Promise<string> {
  return await corpus.file(name, async (path) => {
    const bytes = await readFile(source)
    const end = typeof at === 'number' ? at : at(bytes)
    await writeFile(path, bytes.subarray(0, end < 0 ? bytes.length + end : end))
  })
}

/** The bytes from `from` on: a file whose beginning is gone. */
export async function beheaded(corpus: Corpus, source: string, name: string, from: number): Promise<string> {
  return await corpus.file(name, async (path) => writeFile(path, (await readFile(source)).subarray(from)))
}

/** In the middle of the first box of a type. */
export function within(type: string): (bytes: Buffer) => number {
  return (bytes) => {
    const [found] = places(bytes, type)
    if (found === undefined) throw new Error(`no ${type}`)
    return Math.floor((found.body + found.end) / 2)
  }
}

/** Right behind the nth box of a type, from 1. */
export function behind(type: string, nth = 1): (bytes: Buffer) => number {
  return (bytes) => {
    const found = places(bytes, type)[nth - 1]
    if (found === undefined) throw new Error(`no ${type} number ${nth}`)
    return found.end
  }
}

/** All there by its lengths, but the media is zeros from one share of it to another. */
export async function wiped(
  corpus: Corpus,
  source: string,
  name: string,
  fromShare: number,
  toShare = 1,
): Promise<string> {
  return await corpus.file(name, async (path) => writeFile(path, wipeMedia(await readFile(source), fromShare, toShare)))
}

/** Any file whose second half is zeros. */
export async function wipedTail(corpus: Corpus, source: string, name: string): Promise<string> {
  return await corpus.file(name, async (path) => {
    const bytes = await readFile(source)
    await writeFile(path, bytes.fill(0, Math.floor(bytes.length / 2)))
  })
}

/** Any file with zeros from one share of it to another. */
export async function zeroed(
  corpus: Corpus,
  source: string,
  name: string,
  ...spans: readonly (readonly [fromShare: number, toShare: number])[]
): Promise<string> {
  return await corpus.file(name, async (path) => {
    const bytes = await readFile(source)
    for (const [from, to] of spans) bytes.fill(0, Math.floor(bytes.length * from), Math.floor(bytes.length * to))
    await writeFile(path, bytes)
  })
}

/** Any file with noise, the same each time, from one share of it to another. */
export async function noisy(
  corpus: Corpus,
  source: string,
  name: string,
  [fromShare, toShare]: readonly [number, number],
): Promise<string> {
  return await corpus.file(name, async (path) => {
    const bytes = await readFile(source)
    const [from, to] = [Math.floor(bytes.length * fromShare), Math.floor(bytes.length * toShare)]
    await writeFile(path, Buffer.concat([bytes.subarray(0, from), noise(to - from), bytes.subarray(to)]))
  })
}

/** Bytes without a pattern, the same each time. */
export function noise(bytes: number): Buffer {
  const all = Buffer.alloc(bytes)
  for (let i = 0, n = 1; i < bytes; i++) {
    n = (Math.imul(n, 1_103_515_245) + 12_345) >>> 0
    all[i] = n >>> 16
  }
  return all
}
