// A private redis-server for one test file: own port, own directory, gone with the test.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from './children.ts'
import { freePort, waitFor } from './http.ts'

export type RedisOptions = {
  /** Keeps an append-only file, so that a killed server comes back with its data. Default false. */
  appendOnly?: boolean
  /** Further redis-server options: `['--maxmemory', '20mb']`. */
  args?: string[]
}

export type TestRedis = {
  readonly url: string
  readonly port: number
  /** The current data directory. */
  readonly dir: string
  /** kill -9; resolves when the process is gone. The port and the directory stay. */
  kill(): Promise<void>
  /** Starts again on the same port, with the same directory or another one: an empty one is a Redis that lost all. */
  restart(options?: { dir?: string }): Promise<void>
  /** A fresh empty directory, for `restart`. */
  emptyDir(): Promise<string>
  /** A copy of the data as it is now, for a later `restart({ dir })`: a Redis that comes back older. */
  snapshot(): Promise<string>
  /** Freezes the process: connections stay open and nothing answers. */
  pause(): void
  resume(): void
  /** Ends the server and removes its directories. */
  stop(): Promise<void>
}

/** True when this process serves the port: where another one has taken it, that one answers too. */
function isServedBy(pid: number, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\nINFO server\r\n'))
    let text = ''
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => end(false))
    socket.on('data', (data) => {
      text += data.toString()
      const [, told] = /^process_id:(\d+)\r$/m.exec(text) ?? []
      // While it loads its data it does not answer PING, but tells its process.
      if (told !== undefined) end(text.startsWith('+PONG') && Number(told) === pid)
    })
    socket.on('error', () => end(false))
    socket.on('close', () => resolve(false))
  })
}

async function launch(port: number, dir: string, options: RedisOptions): Promise<Child> {
  const child = await startChild('redis-server', [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    dir,
    '--save',
    '',
    '--appendonly',
    options.appendOnly ? 'yes' : 'no',
    // Written before a command is answered, always: with everysec Redis holds a write back for up to two seconds while the
    // disk is busy. What is written survives kill -9, also where it is not on the disk yet.
    '--appendfsync',
    'no',
    '--maxmemory-policy',
    'noeviction',
    '--daemonize',
    'no',
    ...(options.args ?? []),
  ])
  await waitFor(async () => !child.running() || (await isServedBy(child.pid, port)), { what: 'redis-server to answer' })
  if (!child.running()) throw new Error(`redis-server did not start:\n${child.output()}`)
  return child
}

/** Starts a redis-server that only this test knows. */
export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const made: string[] = []
  const emptyDir = async () => {
    const path = await mkdtemp(join(tmpdir(), 'songngan-redis-'))
    made.push(path)
    return path
  }
  let dir = await emptyDir()
  let port = await freePort()
  let child: Child
  try {
    child = await launch(port, dir, options)
  } catch {
    // the port may have been taken between asking for it and using it: once more with another one
    port = await freePort()
    child = await launch(port, dir, options)
  }
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get dir() {
      return dir
    },
    kill,
    async restart(to = {}) {
      if (child.running()) await kill()
      dir = to.dir ?? dir
      child = await launch(port, dir, options)
    },
    emptyDir,
    async snapshot() {
      // The append-only file is written before a command is answered (see launch): a copy holds everything acknowledged.
      const copy = await emptyDir()
      await cp(dir, copy, { recursive: true })
      return copy
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      await child.stop()
      await Promise.all(made.map((path) => rm(path, { recursive: true, force: true })))
    },
  }
}
