// A service or a worker as a process that can be killed at a fault point. It is started again whenever it has died, as a
// process manager would do.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { statusOf, waitFor } from '../../../test/support/http.ts'
import { type Role, startProcess } from '../../../test/support/service.ts'

export type KillableProcess = Awaited<ReturnType<typeof startKillable>>

export type KillableOptions = {
  env: Record<string, string>
  /** Called between a death and the next start. */
  beforeStart: () => Promise<void>
  /** Modules loaded before the entry. */
  preload?: string[]
}

export async function startKillable(role: Role, dir: string, { env, beforeStart, preload = [] }: KillableOptions) {
  const folder = mkdtempSync(join(dir, `${role}-faults-`))
  const running = await startProcess(role, {
    env: { TRANSCODE_CONCURRENCY: '1', LOG_LEVEL: 'info', ...env, FAULT_POINTS: folder },
    // The compiled suite starts compiled entries.
    from: import.meta.filename.endsWith('.js') ? 'dist' : 'source',
    preload,
    ...(role === 'worker' ? { entry: 'test/support/quick-worker' } : {}),
  })
  const restartsMs: number[] = []
  let armed = 0
  let output = ''
  let stopping = false
  let starting = Promise.resolve()

  const watch = (): void => {
    void running.exited.then((exit) => {
      output += `${running.output()}\n-- ${role} ${running.pid} ended: ${exit.code ?? exit.signal}\n`
      if (stopping) return
      const restart = async () => {
        await beforeStart()
        restartsMs.push(Date.now())
        await running.restart()
        watch()
      }
      starting = restart()
      // ready() reports the error.
      starting.catch(() => undefined)
    })
  }
  watch()

  const hits = (): string[] => {
    try {
      return readFileSync(join(folder, 'hits'), 'utf8').trim().split('\n')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw error
    }
  }
  return {
    role,
    folder,
    /** Unix milliseconds. What a process sent arrives before the next one is started, but may arrive after its end is seen. */
    restartsMs,
    url: running.url,
    opsUrl: running.opsUrl,
    get pid() {
      return running.pid
    },
    output: () => output + running.output(),

    async ready(): Promise<void> {
      await waitFor(
        async () => {
          await starting
          return (await statusOf(`${running.opsUrl}/health/ready`)) === 200
        },
        { what: `${role} to be ready` },
      ).catch((error: Error) => {
        throw new Error(`${error.message}\n${(output + running.output()).slice(-3000)}`, { cause: error })
      })
    },

    /** Kills the process at the n-th hit of the fault point. @returns a function that reports whether it was hit */
    arm(point: FaultPoint, nth = 1): () => boolean {
      const token = String(++armed)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'armed'), `${point} ${nth} ${token}`)
      return () => hits().some((line) => line.startsWith(`${point} `) && line.endsWith(` ${token}`))
    },
    disarm: () => rmSync(join(folder, 'armed'), { force: true }),

    /** kill -9 from outside, not of its children; it is started again as after any death. */
    async kill(): Promise<void> {
      const { exited } = running
      process.kill(running.pid, 'SIGKILL')
      await exited
    },
    signal: (name: NodeJS.Signals) => process.kill(running.pid, name),
    async stop(): Promise<void> {
      await starting.catch(() => undefined)
      stopping = true
      await running.stop()
    },
  }
}
