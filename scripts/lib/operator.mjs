// What an operator's command needs: the environment that `npm start` gives its processes,
// and its Redis; if that is down, a Redis on the same files for as long as the command runs.

import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tryLock } from './lock.mjs'
import { Refusal } from './log.mjs'
import { dataDir, loadEnvFile } from './paths.mjs'
import { redisAnswers } from './ports.mjs'
import { supervise } from './processes.mjs'
import { prepareRedis } from './redis.mjs'
import { readSecrets, secretsPath, withSecrets } from './secrets.mjs'

const STOP_MS = 15_000
/** EX_UNAVAILABLE. */
const EXIT_UNAVAILABLE = 69

/** `{ env, release }`; the caller calls release at the end of its command. Throws a Refusal. */
export async function openInstallation() {
  loadEnvFile()
  const dir = dataDir()
  const secrets = readSecrets(dir)
  const env = {
    ...(secrets === undefined ? process.env : withSecrets(process.env, secrets)),
    DATA_DIR: dir,
  }
  if (env.REDIS_URL) return { env, release: async () => {} }
  if (secrets === undefined)
    throw new Refusal(`Nothing is installed in ${dir}: ${secretsPath(dir)} is missing, and REDIS_URL is not set.`, 78)
  const running = await runningRedis(dir, secrets.redisPassword)
  if (running !== undefined) return { env: { ...env, REDIS_URL: running }, release: async () => {} }
  return await withOwnRedis(dir, secrets.redisPassword, env)
}

/** The address of the embedded Redis of a running `npm start`. */
async function runningRedis(dir, password) {
  const port = portOf(join(dir, 'redis/redis.conf'))
  const answers = port !== undefined && (await redisAnswers(port, password))
  return answers ? `redis://:${password}@127.0.0.1:${port}` : undefined
}

function portOf(file) {
  try {
    const port = /^port (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1]
    return port === undefined ? undefined : Number(port)
  } catch {
    return undefined // never started
  }
}

/** Takes the lock of `npm start`: two servers on one append-only file would destroy it. */
async function withOwnRedis(dir, password, env) {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const lock = tryLock(join(dir, 'start.lock'))
  if (lock.heldBy)
    throw new Refusal(
      `Songngan (process ${lock.heldBy}) runs on ${dir}, but its Redis does not answer yet; try again in a moment.`,
      EXIT_UNAVAILABLE,
    )
  process.on('exit', () => lock.release())
  const prepared = await prepareRedis(dir, password)
  let failed = false
  const redis = supervise({
    name: 'redis',
    program: prepared.program,
    args: prepared.args,
    env: process.env,
    onLine: () => {}, // they are in its log file
    onFinal: () => {
      failed = true
    },
  })
  const release = () => redis.stop(STOP_MS)
  try {
    await prepared.ready(() => failed)
  } catch (error) {
    await release()
    throw error
  }
  return { env: { ...env, REDIS_URL: prepared.url }, release }
}
