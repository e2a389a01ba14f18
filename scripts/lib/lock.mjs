// One at a time: a file with the holder's process id. A holder that died leaves a stale file, which is taken over.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isProcessAlive, processStat } from './process-alive.mjs'

/** Process ids are used again, after a reboot or in a container: the start time tells two holders apart. */
const startTimeOf = (pid) => processStat(pid)?.startTime

const isAlive = ({ pid, startTime }) =>
  isProcessAlive(pid) && (startTime === undefined || startTimeOf(pid) === startTime)

function holderOf(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined // gone meanwhile, or written by something else
  }
}

/** Takes the lock or says who has it: `{ release }` or `{ heldBy: pid }`. */
export function tryLock(path) {
  mkdirSync(dirname(path), { recursive: true })
  const mine = `${path}.${process.pid}`
  for (;;) {
    // Written aside and linked, so that nobody ever reads half a file.
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

/** Of two that find the same stale file, the slower one must not remove the faster one's new lock. */
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

/** Runs `work` alone; waits for the holder, telling once who that is. */
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
