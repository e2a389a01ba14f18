// File operations on plain descriptors. FileHandle objects cost several times as much for the handful of calls that a
// small upload makes, and nothing here needs what they add.

import { close, constants, fdatasync, fstat, fsync, open, type Stats, write } from 'node:fs'
import { promisify } from 'node:util'

export const openFd = promisify(open) as (path: string, flags: number, mode?: number) => Promise<number>
export const closeFd = promisify(close)
export const syncFd = promisify(fsync)
export const dataSyncFd = promisify(fdatasync)
export const statFd = promisify(fstat) as (fd: number) => Promise<Stats>
const writeFd = promisify(write) as unknown as (
  fd: number,
  buffer: Buffer,
  offset: number,
  length: number,
  position: number,
) => Promise<{ bytesWritten: number }>

/** Opens, works, closes, whatever happens. */
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

/** fsync of a folder makes the names in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  await withFd(path, constants.O_RDONLY, syncFd)
}
