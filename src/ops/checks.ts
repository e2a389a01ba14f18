// Checks of the dependencies of a process, each with a time-out.

import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { RedisConnection } from '../core/redis.ts'
import { tryWrite } from '../core/redis-watch.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const LOOK_MS = 2000

export type CheckResult = { up: boolean; milliseconds: number; error?: string }

/** Up is who takes a write: a replica, or a server without memory, answers PING as ever. */
export async function checkRedis(redis: RedisConnection): Promise<CheckResult> {
  return await timed(() => tryWrite(redis))
}

/** Requests an object that does not exist: an available store answers "not found". */
export async function checkStore(store: Pick<ObjectStore, 'head'>): Promise<CheckResult> {
  return await timed(() => store.head('probe/health'))
}

async function timed(ask: () => Promise<unknown>): Promise<CheckResult> {
  const startedMs = performance.now()
  const milliseconds = () => Math.round(performance.now() - startedMs)
  try {
    await withTimeout(ask(), LOOK_MS, () => {
      throw new Error(`no answer within ${LOOK_MS} ms`)
    })
    return { up: true, milliseconds: milliseconds() }
  } catch (error) {
    return {
      up: false,
      milliseconds: milliseconds(),
      error: error instanceof Error ? error.message : String(error),
    }
  }
}

/** Free bytes of the disk of a directory, which need not exist yet. */
export async function freeBytesOf(directory: string): Promise<number> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    try {
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === dirname(path)) throw error
    }
  }
}
