// Scratch folders: one per job, created only if the disk has space, deleted when the job ends in any way, and swept if the
// owner died before that. The folder's name contains its owner, so that every folder has one at any time. The space check
// prevents half-written files on a full disk.

import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat, statfs, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { processStat } from '../../src/core/process-alive.ts'
import { ToolError } from './tool-error.ts'

/** There will be space when other jobs end; this job has not started. */
export class NoRoom extends ToolError {}

/**
 * `enough` for any job; `little`: none for one that copies files; `none`: not even for a verdict, a record or a log line.
 */
export type RoomState = 'enough' | 'little' | 'none'

export type Scratch = {
  /** Absolute. */
  dir: string
  /** A path inside. */
  path(name: string): string
  /** Deletes the folder and releases its reservation; safe to call twice. */
  remove(): Promise<void>
}

export type ScratchRoom = {
  /**
   * A new folder.
   *
   * @param needBytes maximum that the job may write there; 0 for very little
   * @throws {ToolError} `OUT_OF_SPACE` (system): a {@link NoRoom} if that much plus the margin is not free now, another
   *   one if the disk is always too small for it
   */
  open(jobId: string, needBytes: number): Promise<Scratch>
  /** Bytes that a job could be given now. */
  freeBytes(): Promise<number>
  /** Whether jobs should be started. Space that is too little for one job may be enough for the next. */
  state(): Promise<RoomState>
  /** Deletes the folders of dead owners; returns their names. */
  sweep(): Promise<string[]>
}

export type ScratchOptions = {
  /** Absolute; created when missing. */
  root: string
  /** Never used: uploads may be on the same disk. */
  marginBytes: number
  /** Below this free space no job runs; default 0. */
  fullBytes?: number
  /** A folder of another machine counts as dead after this time without a sign of life; default 1 h. */
  foreignTtlMs?: number
}

const SIGN_OF_LIFE_MS = 60_000

type Owner = { host: string; pid: number; started: string }

const OWNED = /^([A-Za-z0-9-]+)\.(\d+)\.(\d*)\.[^/]+$/

/** Creates scratch folders under one root; several processes may share the root. */
export function createScratchRoom(options: ScratchOptions): ScratchRoom {
  const { root, marginBytes, fullBytes = 0 } = options
  if (!isAbsolute(root)) throw new TypeError(`the scratch root must be absolute, got ${root}`)
  // Bytes that running jobs of this process may still write. Writes of other processes reduce the free space.
  let reservedBytes = 0

  const disk = async () => {
    await mkdir(root, { recursive: true, mode: 0o700 })
    const { bavail, blocks, bsize } = await statfs(root)
    return { left: bavail * bsize, size: blocks * bsize }
  }
  const toGive = (left: number): number => Math.max(0, left - marginBytes - reservedBytes)

  return {
    freeBytes: async () => toGive((await disk()).left),
    async state() {
      const { left } = await disk()
      if (left < fullBytes) return 'none'
      return toGive(left) > 0 ? 'enough' : 'little'
    },
    async open(jobId, needBytes) {
      const { left, size } = await disk()
      const free = toGive(left)
      if (needBytes > free) {
        const words = `${needBytes} bytes of scratch needed, ${free} to give`
        if (needBytes > size - marginBytes) throw new ToolError('OUT_OF_SPACE', 'system', words)
        throw new NoRoom('OUT_OF_SPACE', 'system', words)
      }
      reservedBytes += needBytes
      const job = jobId.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80)
      const dir = join(root, folderName(thisProcess(), `${job}-${randomUUID()}`))
      let removed = false
      let beat: NodeJS.Timeout | undefined
      const remove = async (): Promise<void> => {
        if (removed) return
        removed = true
        clearInterval(beat)
        reservedBytes -= needBytes
        await rm(dir, { recursive: true, force: true })
      }
      try {
        await mkdir(dir, { mode: 0o700 })
        beat = setInterval(() => {
          const now = new Date()
          // The folder is gone because the job has just ended: no sign of life is needed.
          utimes(dir, now, now).catch(() => undefined)
        }, SIGN_OF_LIFE_MS)
        beat.unref()
      } catch (error) {
        await remove()
        throw error
      }
      return { dir, path: (name) => join(dir, name), remove }
    },
    async sweep() {
      const swept: string[] = []
      const entries = await readdir(root, { withFileTypes: true }).catch(emptyWhenMissing)
      for (const entry of entries) {
        if (!entry.isDirectory() || !(await isDead(root, entry.name, options.foreignTtlMs ?? 3_600_000))) continue
        await rm(join(root, entry.name), { recursive: true, force: true })
        swept.push(entry.name)
      }
      return swept
    },
  }
}

/** Runs a job with a scratch folder that is always deleted afterwards. */
export async function withScratch<T>(
  room: ScratchRoom,
  jobId: string,
  needBytes: number,
  job: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const scratch = await room.open(jobId, needBytes)
  try {
    return await job(scratch)
  } finally {
    await scratch.remove()
  }
}

function thisProcess(): Owner {
  return { host: hostname(), pid: process.pid, started: processStat(process.pid)?.startTime ?? '' }
}

const inName = (host: string) => host.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 60)

/** The name of a folder of `owner`; `rest` makes it unique. @internal */
export function folderName({ host, pid, started }: Owner, rest: string): string {
  return `${inName(host)}.${pid}.${started}.${rest}`
}

async function isDead(root: string, name: string, foreignTtlMs: number): Promise<boolean> {
  const [, host, pid, started] = OWNED.exec(name) ?? []
  if (host === inName(hostname())) return processStat(Number(pid))?.startTime !== started
  // An unknown owner, or one on another machine, whose processes cannot be checked from here: its age decides.
  const sign = await stat(join(root, name)).catch(() => null)
  // Deleted by its owner during the check.
  return sign !== null && Date.now() - sign.mtimeMs > foreignTtlMs
}

function emptyWhenMissing(error: unknown): never[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}
