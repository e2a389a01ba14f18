// A service or a worker as a process that can be killed at a fault point. It is started again whenever it has died, as a
// process manager would do.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { type Child, startChild } from '../../../test/support/children.ts'
import { freePort, statusOf, waitFor } from '../../../test/support/http.ts'

export type Role = 'service' | 'worker'

/** The compiled suite starts compiled entries. */
const SUFFIX = import.meta.filename.endsWith('.js') ? '.js' : '.ts'
const ROOT = join(import.meta.dirname, '../../..')
const ENTRIES = { service: 'src/server', worker: 'tools/chaos/stage/worker' }
const READY_MS = 60_000

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
  const [port, opsPort] = [await freePort(), await freePort()]
  const loader = SUFFIX === '.ts' ? ['--import', 'tsx'] : ['--enable-source-maps']
  const modules = preload.flatMap((name) => ['--import', join(ROOT, `${name}${SUFFIX}`)])
  const args = [...loader, ...modules, join(ROOT, `${ENTRIES[role]}${SUFFIX}`)]
  const all = {
    HOST: '127.0.0.1',
    OPS_HOST: '127.0.0.1',
    PORT: String(port),
    OPS_PORT: String(opsPort),
    PROCESSES: '1',
    TRANSCODE_CONCURRENCY: '1',
    LOG_LEVEL: 'info',
    ...env,
    FAULT_POINTS: folder,
  }
  const deathsMs: number[] = []
  let armed = 0
  let output = ''
  let stopping = false
  let child: Child
  let starting = Promise.resolve()

  const launch = async () => {
    child = await startChild(process.execPath, args, { env: all, cwd: ROOT })
    const mine = child
    void child.exited.then((exit) => {
      output += `${mine.output()}\n-- ${role} ${mine.pid} ended: ${exit.code ?? exit.signal}\n`
      if (stopping) return
      deathsMs.push(Date.now())
      starting = beforeStart().then(launch)
      // ready() reports the error.
      starting.catch(() => undefined)
    })
  }
  await launch()

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
    deathsMs,
    url: `http://127.0.0.1:${port}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    get pid() {
      return child.pid
    },
    output: () => output + child.output(),

    async ready(): Promise<void> {
      await waitFor(
        async () => {
          await starting
          return (await statusOf(`http://127.0.0.1:${opsPort}/health/ready`)) === 200
        },
        { timeoutMs: READY_MS, what: `${role} to be ready` },
      ).catch((error: Error) => {
        throw new Error(`${error.message}\n${(output + child.output()).slice(-3000)}`, { cause: error })
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

    /** kill -9 from outside; it is started again as after any death. */
    async kill(): Promise<void> {
      const mine = child
      mine.kill('SIGKILL')
      await mine.exited
    },
    signal: (name: NodeJS.Signals) => child.kill(name),
    async stop(): Promise<void> {
      await starting.catch(() => undefined)
      stopping = true
      await child.stop(10_000)
    },
  }
}
