// File operations on plain descriptors. FileHandle objects cost several times as much for the few calls of a
// small upload.

import {
  close,
  constants,
  fdatasync,
  fstat,
  fsync,
  open,
  read,
  type Stats,
  type WriteVResult,
  write,
  writev,
} from 'node:fs'
import { promisify } from 'node:util'

export const openFd = promisify(open) as (path: string, flags: number, mode?: number) => Promise<number>
export const closeFd = promisify(close)
/** @internal */
export const syncFd = promisify(fsync)
export const dataSyncFd = promisify(fdatasync)
export const statFd = promisify(fstat) as (fd: number) => Promise<Stats>
type Transfer<T> = (fd: number, buffer: Buffer, offset: number, length: number, position: number) => Promise<T>
const writeFd = promisify(write) as unknown as Transfer<{ bytesWritten: number }>
const readFd = promisify(read) as unknown as Transfer<{ bytesRead: number }>
const writevFd = promisify(writev) as unknown as (
  fd: number,
  buffers: readonly NodeJS.ArrayBufferView[],
  position: number,
) => Promise<WriteVResult>

/** Opens the file, runs `work`, and always closes it. */
export async function withFd<T>(path: string, flags: number, work: (fd: number) => Promise<T>): Promise<T> {
  const fd = await openFd(path, flags)
  try {
    return await work(fd)
  } finally {
    await closeFd(fd)
  }
}

/** Writes all of `body` from position 0. */
export async function writeAll(fd: number, body: Buffer): Promise<void> {
  let done = 0
  while (done < body.length) done += (await writeFd(fd, body, done, body.length - done, done)).bytesWritten
}

/** Writes all chunks in order from `position` on. A short write (full disk, signal) is continued. */
export async function writeChunks(fd: number, chunks: readonly Buffer[], position: number): Promise<void> {
  let rest = chunks
  let at = position
  while (rest.length > 0) {
    const { bytesWritten } = await writevFd(fd, rest, at)
    at += bytesWritten
    rest = withoutFirst(rest, bytesWritten)
  }
}

/** The chunks without their first `bytes`. */
export function withoutFirst(chunks: readonly Buffer[], bytes: number): readonly Buffer[] {
  let left = bytes
  for (const [i, chunk] of chunks.entries()) {
    if (left < chunk.length) return [chunk.subarray(left), ...chunks.slice(i + 1)]
    left -= chunk.length
  }
  return []
}

/** Fills `target` from `position`, up to the end of the file; returns the number of bytes read. */
export async function readAll(fd: number, target: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < target.length) {
    const { bytesRead } = await readFd(fd, target, filled, target.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** The content of a file that nobody changes. */
export async function readWhole(fd: number): Promise<Buffer> {
  const content = Buffer.allocUnsafe((await statFd(fd)).size)
  return content.subarray(0, await readAll(fd, content, 0))
}

/** fsync of a folder, which makes its entries durable. */
export async function syncDirectory(path: string): Promise<void> {
  await withFd(path, constants.O_RDONLY, syncFd)
}
