// The service and the scripts (which run before anything is built) each have one such function; they must agree.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isProcessAlive } from '../../../src/core/process-alive.ts'
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
