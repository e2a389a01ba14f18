// The service and the scripts (which run before anything is built) each have one such function; they must agree.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasEnded, isProcessAlive, processIdentity, processStat } from '../../../src/core/process-alive.ts'
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

  it('goes on, and has ended where it is a zombie or its id is another’s now', () => {
    expect(hasEnded(processIdentity())).toBe(false)
    expect(hasEnded(identityOf(zombie.pid))).toBe(true)
    expect(hasEnded(identityOf(process.pid, '1'))).toBe(true)
  })

  it('of another machine, boot or container cannot be known to have ended', () => {
    const elsewhere = [`another ${namespace} 1 1`, `${boot} pid:[1] 1 1`, '']
    expect(elsewhere.map(hasEnded)).toEqual([false, false, false])
  })
})
