// The service and the scripts (which run before anything is built) each have one such function; they must agree.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { isProcessAlive, lifeOf, processIdentity, processStat } from '../../../src/core/process-alive.ts'
import { startZombie, type Zombie } from '../../support/zombie.ts'
import { script } from '../scripts/script.ts'

const scripts = await script<{ isProcessAlive: (pid: number) => boolean }>('lib/process-alive.mjs')

let zombie: Zombie
beforeAll(async () => {
  zombie = await startZombie()
})
afterAll(async () => await zombie.stop())

describe.each([
  ['src/core', isProcessAlive],
  ['scripts', scripts.isProcessAlive],
])('isProcessAlive of %s', (_, isAlive) => {
  it('is true for this process, and for one of another user', () => {
    expect([isAlive(process.pid), isAlive(1)]).toEqual([true, true])
  })

  it('is false for one that has ended', async () => {
    const child = spawn('true')
    await once(child, 'close')
    expect(isAlive(child.pid ?? 1)).toBe(false)
  })

  it('is false for a zombie: it has ended, but its parent has not waited for it', () => {
    expect(isAlive(zombie.pid)).toBe(false)
  })

  it('is false for an invalid process id', () => {
    expect([0, -1, 1.5, Number.NaN].map(isAlive)).toEqual([false, false, false, false])
  })
})

describe('a process by its identity', () => {
  const [boot, namespace] = processIdentity().split(' ')
  const identityOf = (pid: number, startTime = processStat(pid)?.startTime) =>
    `${boot} ${namespace} ${pid} ${startTime}`

  it('is alive, and has ended where it is a zombie or its id is another’s now', () => {
    expect(lifeOf(processIdentity())).toBe('alive')
    expect(lifeOf(identityOf(zombie.pid))).toBe('ended')
    expect(lifeOf(identityOf(process.pid, '1'))).toBe('ended')
  })

  it('of another machine, boot or container is not seen from here', () => {
    const elsewhere = [`another ${namespace} 1 1`, `${boot} pid:[1] 1 1`, '']
    expect(elsewhere.map(lifeOf)).toEqual(['unseen', 'unseen', 'unseen'])
  })

  it('whose state is hidden is there, but nobody can say that it is the same one', () => {
    const identity = processIdentity()
    const { readFileSync } = fs
    // As mounted with hidepid, for a process of another user.
    fs.readFileSync = ((path: string, ...rest: [BufferEncoding]) => {
      if (path.endsWith('/stat')) throw Object.assign(new Error('hidden'), { code: 'ENOENT' })
      return readFileSync(path, ...rest)
    }) as typeof readFileSync
    onTestFinished(() => {
      fs.readFileSync = readFileSync
      syncBuiltinESMExports()
    })
    syncBuiltinESMExports()
    expect(lifeOf(identity)).toBe('unseen')
  })
})
