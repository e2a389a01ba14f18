// `npm start`: the whole service on one machine. Installs what is missing, then runs an embedded Redis (unless
// REDIS_URL is set), the service and a worker until Ctrl-C.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { show } from './lib/lines.mjs'
import { tryLock } from './lib/lock.mjs'
import { main, Refusal, say, shout } from './lib/log.mjs'
import { nodeArguments, nodeEnvironment } from './lib/node-command.mjs'
import { dataDir, loadEnvFile } from './lib/paths.mjs'
import { freePort, isFree, isReady, until } from './lib/ports.mjs'
import { EXIT_CONFIG, supervise } from './lib/processes.mjs'
import { prepareRedis } from './lib/redis.mjs'
import { provideSecrets, secretsPath, withoutServiceSecrets, withSecrets } from './lib/secrets.mjs'
import { setUp } from './lib/setup.mjs'
import { onSignals } from './lib/signals.mjs'

const BUSY_PORT_WAIT_MS = 3_000
const READY_TIMEOUT_MS = 120_000
/** Time to stop: the service stores received bytes, the worker releases its jobs, Redis writes its file. */
const GRACE_MS = { service: 30_000, worker: 30_000, redis: 15_000 }

/** A URL to open; a listener on all interfaces is shown as this machine. */
function asUrl(host, port) {
  const open = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${open.includes(':') ? `[${open}]` : open}:${port}`
}

/** The ports as numbers, also where 0 means any free one: they are printed and polled. */
async function addresses(env) {
  const port = async (text, fallback) => (text === '0' ? await freePort() : Number(text || fallback))
  const ops = await port(env.OPS_PORT, 9464)
  return {
    host: env.HOST || '127.0.0.1',
    port: await port(env.PORT, 8080),
    opsHost: env.OPS_HOST || '127.0.0.1',
    opsPort: ops,
    workerOpsPort: env.OPS_PORT === '0' ? await freePort() : ops + 1,
  }
}

/** Another program on our port would look like a ready service. An old service that still drains gets a moment. */
async function refuseBusyPorts({ host, port, opsHost, opsPort, workerOpsPort }) {
  const wanted = [
    [host, port, 'PORT'],
    [opsHost, opsPort, 'OPS_PORT'],
    [opsHost, workerOpsPort, 'OPS_PORT (the worker takes the next one)'],
  ]
  for (const [address, number, name] of wanted) {
    if (await until(() => isFree(address, number), { timeoutMs: BUSY_PORT_WAIT_MS })) continue
    throw new Refusal(`Port ${number} on ${address} is in use. Free it, or change ${name}.`, EXIT_CONFIG)
  }
}

function greet(env, at, created, secrets, dir) {
  const api = env.PUBLIC_URL || asUrl(at.host, at.port)
  const lines = [
    '',
    'Songngan is ready.',
    `  API          ${api}`,
    `  reference    ${api}/docs`,
    `  operations   ${asUrl(at.opsHost, at.opsPort)}/console   (user ${env.OPS_USER || 'ops'}; the password is in ${secretsPath(dir)})`,
    `  data         ${dir}`,
  ]
  if (created && !process.env.API_KEYS) {
    lines.push('', `  API key      ${secrets.apiKey}`, `               shown only once; stored in ${secretsPath(dir)}`)
  }
  lines.push('', '  Try it:      npm run try', '  Portals:     examples/README.md', '  Stop it:     Ctrl-C', '')
  shout(lines.join('\n'))
}

const USAGE = `npm start     the whole service on this machine: Redis (unless REDIS_URL is set), service, worker
Settings are in the environment or in .env; .env.example lists them all. On a terminal the logs are readable lines,
elsewhere JSON. Ctrl-C stops everything in order.`

await main(async () => {
  loadEnvFile()
  const dir = dataDir()
  process.umask(0o077) // new files are for this user only
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const lock = tryLock(join(dir, 'start.lock'))
  if (lock.heldBy) {
    throw new Refusal(`Songngan already runs on ${dir} (process ${lock.heldBy}); stop it, or set another DATA_DIR.`, 78)
  }
  process.on('exit', () => lock.release())
  await setUp({ tools: { redis: !process.env.REDIS_URL } })

  const { secrets, created } = provideSecrets(dir)
  const at = await addresses(process.env)
  await refuseBusyPorts(at)
  const processes = []
  let ending

  /** Stops in order: the service, then the worker, then Redis, which both need. */
  const end = (exitCode) => {
    ending ??= (async () => {
      process.exitCode = exitCode
      for (const one of [...processes].reverse()) await one.stop(GRACE_MS[one.name])
      if (exitCode === 0) say('Stopped.')
    })()
    return ending
  }
  const run = (name, program, args, env) => {
    const onLine = (line, isError) => show(name, line, isError)
    const onFinal = (code) => {
      if (ending === undefined) shout(`The ${name} does not start. The reason is in the lines above.`)
      void end(code)
    }
    processes.push(supervise({ name, program, args, env, onLine, onFinal }))
  }
  const stopped = () => ending !== undefined
  onSignals(
    () => {
      say('Stopping … (Ctrl-C again to stop at once)')
      void end(0)
    },
    () => {
      for (const one of processes) one.kill()
      process.exit(130)
    },
  )

  const env = { ...withSecrets(process.env, secrets), DATA_DIR: dir, PORT: String(at.port) }
  if (!env.REDIS_URL) {
    const redis = await prepareRedis(dir, secrets.redisPassword)
    run('redis', redis.program, redis.args, process.env)
    await redis.ready(stopped).catch(async (error) => {
      await end(1)
      throw error
    })
    env.REDIS_URL = redis.url
  }
  if (stopped()) return
  const part = (name, opsPort) =>
    run(name, process.execPath, nodeArguments(name), {
      ...nodeEnvironment(name),
      ...(name === 'worker' ? withoutServiceSecrets(env) : env),
      OPS_PORT: String(opsPort),
    })
  part('worker', at.workerOpsPort)
  part('service', at.opsPort)
  const bothReady = async () => {
    const answers = [at.opsPort, at.workerOpsPort].map((port) => isReady(`${asUrl(at.opsHost, port)}/health/ready`))
    return (await Promise.all(answers)).every(Boolean)
  }
  const ready = await until(bothReady, { timeoutMs: READY_TIMEOUT_MS, cancelled: stopped })
  if (ready && !stopped()) greet(env, at, created, secrets, dir)
  else if (!stopped()) shout(`Not ready after ${READY_TIMEOUT_MS / 1_000} s; still trying.`)
}, USAGE)
