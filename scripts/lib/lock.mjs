// A lock file with the holder's process id. If the holder has died, the file is stale and is taken over.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isProcessAlive, processStat } from './process-alive.mjs'

/** Process ids are reused after a reboot or in a container: the start time tells holders apart. */
const startTimeOf = (pid) => processStat(pid)?.startTime

const isAlive = ({ pid, startTime }) =>
  isProcessAlive(pid) && (startTime === undefined || startTimeOf(pid) === startTime)

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // removed meanwhile, or not a lock file
  }
}

/** Takes the lock: `{ release }`, or `{ heldBy: pid }` if it is held. */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true })
  const mine = `${path}.${process.pid}`
  for (;;) {
    // Written to another file and linked, so that nobody reads an incomplete file.
    writeFileSync(mine, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }))
    try {
      linkSync(mine, path)
      return { release: () => rmSync(path, { force: true }) }
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    } finally {
      rmSync(mine, { force: true })
    }
    const holder = holderOf(path)
    if (holder !== undefined && isAlive(holder)) return { heldBy: holder.pid }
    removeStale(path, holder)
  }
}

/** If two processes find the same stale file, the second must not remove the new lock of the first. */
function removeStale(path, stale) {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  const moved = holderOf(aside)
  if (moved !== undefined && moved.pid !== stale?.pid && isAlive(moved)) {
    try {
      linkSync(aside, path)
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  }
  rmSync(aside, { force: true })
}

/** Runs `work` under the lock; while it waits it calls `onWait` once with the holder. */
export async function withLock(path, work, onWait) {
  let told = false
  for (;;) {
    const lock = tryLock(path)
    if (lock.release) {
      try {
        return await work()
      } finally {
        lock.release()
      }
    }
    if (!told) onWait(lock.heldBy)
    told = true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
