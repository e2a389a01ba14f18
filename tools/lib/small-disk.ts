// A small file system that can be filled and emptied: a tmpfs whose size is changed by a remount.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { UsageError } from './usage.ts'

const execute = promisify(execFile)

/** A tmpfs uses memory only for its contents. */
const PLENTY_BYTES = 6 * 1024 ** 3
const PAGE_BYTES = 4096

export type SmallDisk = {
  readonly dir: string
  /** Sets the free space. */
  setFree(bytes: number | null): Promise<void>
  remove(): Promise<void>
}

/** Throws UsageError if this user may not mount. */
export async function makeSmallDisk(): Promise<SmallDisk> {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-disk-'))
  const mount = (options: string, ...what: string[]) => execute('mount', ['-o', options, ...what, dir])
  try {
    await mount(`size=${PLENTY_BYTES}`, '-t', 'tmpfs', 'tmpfs')
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    const why = error instanceof Error ? (error.message.split('\n')[1] ?? error.message) : String(error)
    throw new UsageError(`A disk that can be filled needs the right to mount a tmpfs: run it as root. (${why})`)
  }
  return {
    dir,
    async setFree(bytes) {
      const { blocks, bfree, bsize } = await statfs(dir)
      const used = (blocks - bfree) * bsize
      // Size 0 would mean "no limit".
      const size = bytes === null ? used + PLENTY_BYTES : Math.max(PAGE_BYTES, used + bytes)
      await mount(`remount,size=${size}`)
    },
    async remove() {
      await execute('umount', ['-l', dir])
      await rm(dir, { recursive: true, force: true })
    },
  }
}
