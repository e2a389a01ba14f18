// The embedded Redis of `npm start`: append-only, loopback, with a password, its files under DATA_DIR/redis.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { which } from './commands.mjs'
import { Refusal } from './log.mjs'
import { freePort, redisAnswers, until } from './ports.mjs'

/** A file of its own: its lines are not JSON, and matter only if it does not start. */
const LOG = 'redis.log'
const START_TIMEOUT_MS = 60_000
const LEFTOVER_TIMEOUT_MS = 15_000

/** `everysec`: Redis may lose a second, the store has the records. `noeviction`: a queue must not lose entries. */
function configuration({ dir, port, password }) {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir "${dir}"`,
    `pidfile "${join(dir, 'redis.pid')}"`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'loglevel warning',
    `logfile "${join(dir, LOG)}"`,
    'enable-debug-command no',
    '',
  ].join('\n')
}

/** Writes the configuration; returns how to start and reach it. The password is in the file only, never on a command line. */
export async function prepareRedis(dataDir, password) {
  const dir = join(dataDir, 'redis')
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  await endLeftover(dir)
  const port = await freePort()
  const file = join(dir, 'redis.conf')
  writeFileSync(file, configuration({ dir, port, password }), { mode: 0o600 })
  return {
    program: which('redis-server') ?? 'redis-server',
    args: [file],
    url: `redis://:${password}@127.0.0.1:${port}`,
    async ready(cancelled) {
      const answers = () => redisAnswers(port, password)
      if (await until(answers, { timeoutMs: START_TIMEOUT_MS, cancelled })) return
      throw new Refusal(`The embedded Redis did not start. See ${join(dir, LOG)}.`)
    },
  }
}

/** Waits for the end of an old Redis: two servers on one append-only file would destroy it. */
async function endLeftover(dir) {
  const pid = leftoverPid(dir)
  if (pid === undefined) return
  process.kill(pid, 'SIGTERM')
  const gone = () => leftoverPid(dir) === undefined
  if (await until(gone, { timeoutMs: LEFTOVER_TIMEOUT_MS })) return
  throw new Refusal(`An old Redis (process ${pid}) still uses ${dir} and does not stop. Stop it, then try again.`)
}

/** The process of the pid file, if it is a redis-server in this directory. */
function leftoverPid(dir) {
  try {
    const pid = Number(readFileSync(join(dir, 'redis.pid'), 'utf8'))
    const isRedis = readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server')
    return isRedis ? pid : undefined
  } catch {
    return undefined // no file, no such process, or no /proc
  }
}
