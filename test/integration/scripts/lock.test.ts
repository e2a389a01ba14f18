import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startZombie } from '../../support/zombie.ts'
import { script } from './script.ts'

type Lock = { release?: () => void; heldBy?: number }
const { tryLock, withLock } = await script<{
  tryLock: (path: string) => Lock
  withLock: <T>(path: string, work: () => Promise<T>, onWait: (pid: number) => void) => Promise<T>
}>('lib/lock.mjs')

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songngan-lock-'))
  path = join(dir, 'deeper/some.lock')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'close')
  return child.pid ?? 0
}

test('one holder at a time, and free again after the release', () => {
  const lock = tryLock(path)
  expect(tryLock(path)).toEqual({ heldBy: process.pid })
  lock.release?.()
  expect(existsSync(path)).toBe(false)
  expect(tryLock(path).heldBy).toBeUndefined()
})

test('takes over from a process that died', async () => {
  tryLock(path)
  await writeFile(path, JSON.stringify({ pid: await deadPid() }))
  expect(tryLock(path).heldBy).toBeUndefined()
  expect(tryLock(path)).toEqual({ heldBy: process.pid })
})

test('takes over from a process that was killed, also while it is a zombie', async () => {
  const zombie = await startZombie()
  tryLock(path)
  const stat = await readFile(`/proc/${zombie.pid}/stat`, 'utf8')
  const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  await writeFile(path, JSON.stringify({ pid: zombie.pid, startTime }))
  expect(tryLock(path).heldBy).toBeUndefined()
  await zombie.stop()
})

test('takes over when the process id belongs to another process by now', async () => {
  tryLock(path)
  await writeFile(path, JSON.stringify({ pid: process.pid, startTime: 'of an earlier one' }))
  expect(tryLock(path).heldBy).toBeUndefined()
})

test('takes over a file that is not a lock', async () => {
  tryLock(path)
  await writeFile(path, '')
  expect(tryLock(path).heldBy).toBeUndefined()
})

test('work under a lock runs one after the other, and a waiting process reports the holder once', async () => {
  const order: string[] = []
  const waits: number[] = []
  let finish = () => {}
  const first = withLock(
    path,
    async () => {
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      order.push('first')
    },
    () => order.push('never'),
  )
  const second = withLock(
    path,
    async () => void order.push('second'),
    (pid) => {
      waits.push(pid)
      setTimeout(finish, 300) // longer than one round of asking
    },
  )
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])
  expect(waits).toEqual([process.pid])
})
