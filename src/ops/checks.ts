// Checks of the dependencies of a process, each with a time-out.

import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { RedisConnection } from '../core/redis.ts'
import { isRefusal } from '../core/redis-errors.ts'
import { tryWrite } from '../core/redis-watch.ts'
import { withTimeout } from '../core/with-timeout.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const LOOK_MS = 2000

/** `refused`: it answered, and took no write. */
export type CheckResult = { up: boolean; milliseconds: number; error?: string; refused?: true }

/** Up is who takes a write: a replica, or a server without memory, answers PING as ever. */
export async function checkRedis(redis: RedisConnection, timeoutMs = LOOK_MS): Promise<CheckResult> {
  return await timed(() => tryWrite(redis), timeoutMs)
}

/** Requests an object that does not exist: an available store answers "not found". */
export async function checkStore(store: Pick<ObjectStore, 'head'>): Promise<CheckResult> {
  return await timed(() => store.head('probe/health'))
}

async function timed(ask: () => Promise<unknown>, timeoutMs = LOOK_MS): Promise<CheckResult> {
  const startedMs = performance.now()
  const milliseconds = () => Math.round(performance.now() - startedMs)
  try {
    await withTimeout(ask(), timeoutMs, () => {
      throw new Error(`no answer within ${timeoutMs} ms`)
    })
    return { up: true, milliseconds: milliseconds() }
  } catch (error) {
    return {
      up: false,
      milliseconds: milliseconds(),
      error: error instanceof Error ? error.message : String(error),
      ...(error instanceof Error && error.name === 'ReplyError' && isRefusal(error) ? { refused: true } : {}),
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
