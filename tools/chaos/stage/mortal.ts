// A service or a worker as a process that may be ordered to die at a fault point, and is started again whenever it has
// died, as a process manager would do.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { type Child, startChild } from '../../../test/support/children.ts'
import { freePort, statusOf, waitFor } from '../../../test/support/http.ts'

export type Role = 'service' | 'worker'

/** Where the compiled suite runs, compiled parts do. */
const SUFFIX = import.meta.filename.endsWith('.js') ? '.js' : '.ts'
const ROOT = join(import.meta.dirname, '../../..')
const ENTRIES = { service: 'src/server', worker: 'tools/chaos/stage/worker' }
const READY_MS = 60_000

export type Mortal = Awaited<ReturnType<typeof startMortal>>

export type MortalOptions = {
  env: Record<string, string>
  /** Called between a death and the next start: a minute passes. */
  beforeStart: () => Promise<void>
  /** Modules loaded before the entry. */
  preload?: string[]
}

export async function startMortal(role: Role, dir: string, { env, beforeStart, preload = [] }: MortalOptions) {
  const folder = mkdtempSync(join(dir, `${role}-orders-`))
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
  let orders = 0
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
      // Whoever waits for it to be ready is told.
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

    /** The process is to die at the n-th time that it comes by. @returns whether it did, asked at any time */
    arm(point: FaultPoint, nth = 1): () => boolean {
      const token = String(++orders)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, 'armed'), `${point} ${nth} ${token}`)
      return () => hits().some((line) => line.startsWith(`${point} `) && line.endsWith(` ${token}`))
    },
    disarm: () => rmSync(join(folder, 'armed'), { force: true }),

    /** kill -9 from outside; it is started again like after any death. */
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
