// One server under test, fresh: started for one measurement with a Redis, an S3 server and a directory of its own.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type Child, startChild } from '../../../test/support/children.ts'
import { freePort, waitFor } from '../../../test/support/http.ts'
import { type HttpProxy, startHttpProxy } from '../../../test/support/http-proxy.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { startS3 } from '../../../test/support/s3.ts'
import { Undo } from '../../lib/undo.ts'
import { type Endpoint, optionsHead } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Contender, Place } from '../model.ts'
import { type CpuSeconds, childWith, treeCpu } from '../proc.ts'
import { age } from './age.ts'

const START_MS = 30_000

export type Usage = {
  server: CpuSeconds
  /** Only where the server uses the Redis of the bench. */
  redisSeconds: number | null
  /** Only where the S3 server is the bench's own. */
  s3Seconds: number | null
}

export type Running = {
  readonly contender: Contender
  readonly pid: number
  readonly endpoint: Endpoint
  /** A directory of the server's own. */
  readonly dir: string
  readonly redisUrl: string | undefined
  /** In front of S3, where calls are counted. */
  readonly proxy: HttpProxy | undefined
  /** CPU time so far. */
  usage(): Promise<Usage>
  /** Runs a full garbage collection in a warm Node server; see age.ts. */
  age(): Promise<void>
  /** Another process of the same server on the same data. */
  another(): Promise<Endpoint>
  output(): string
  stop(): Promise<void>
}

export async function startServer(contender: Contender, countsCalls: boolean): Promise<Running> {
  const undo = new Undo()
  try {
    return await start(contender, countsCalls, undo)
  } catch (error) {
    await undo.run()
    throw error
  }
}

async function start(contender: Contender, countsCalls: boolean, undo: Undo): Promise<Running> {
  const dir = await mkdtemp(join(tmpdir(), 'server-'))
  undo.add(() => rm(dir, { recursive: true, force: true }))
  const redis = contender.kind === 'songngan' ? await startRedis({ appendOnly: true }) : undefined
  if (redis !== undefined) undo.add(() => redis.stop())
  const info = redis && new Redis(redis.url)
  if (info !== undefined) undo.add(() => info.disconnect())
  const s3 = contender.store === 's3' ? await startS3() : undefined
  if (s3 !== undefined) undo.add(() => s3.stop())
  const proxy = s3 !== undefined && countsCalls ? await startHttpProxy(s3.endpoint) : undefined
  if (proxy !== undefined) undo.add(() => proxy.stop())
  const s3Pid = s3 && childWith(new URL(s3.endpoint).host)

  const launch = async (): Promise<{ child: Child; endpoint: Endpoint }> => {
    const place: Place = {
      port: await freePort(),
      opsPort: await freePort(),
      dir,
      redisUrl: redis?.url ?? '',
      ...(s3 === undefined
        ? {}
        : {
            s3: {
              endpoint: proxy?.url ?? s3.endpoint,
              bucket: s3.bucket,
              region: s3.region,
              env: {
                AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
                AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
                AWS_REGION: s3.region,
              },
            },
          }),
    }
    const { program, args, env } = contender.command(place)
    const child = await startChild(program, args, { env, ownGroup: true })
    undo.add(() => end(child))
    const endpoint: Endpoint = { port: place.port, path: '/files/', authorization: undefined }
    await ready(child, endpoint)
    return { child, endpoint }
  }
  const { child, endpoint } = await launch()
  return {
    contender,
    pid: child.pid,
    endpoint,
    dir,
    redisUrl: redis?.url,
    proxy,
    usage: async () => ({
      server: treeCpu(child.pid),
      redisSeconds: info === undefined ? null : redisCpu(await info.info('cpu')),
      s3Seconds: s3Pid === undefined ? null : total(treeCpu(s3Pid)),
    }),
    age: async () => {
      if (contender.kind !== 'given') await age(child.pid)
    },
    another: async () => (await launch()).endpoint,
    output: () => child.output(),
    stop: () => undo.run(),
  }
}

/** Kills the server's process group: a graceful end is not measured, and no child process must remain. */
async function end(child: Child): Promise<void> {
  await child.stop(2000)
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // ESRCH: the whole group is gone already
  }
}

async function ready(child: Child, endpoint: Endpoint): Promise<void> {
  const answers = async () => {
    const wire = await Wire.open(endpoint.port, 1000)
    try {
      wire.send(optionsHead(endpoint))
      return (await wire.answer('OPTIONS', 1000)).status > 0
    } finally {
      wire.close()
    }
  }
  const ended = () => new Error(`the server exited at start:\n${child.output().slice(-2000)}`)
  await waitFor(async () => !child.running() || (await answers()), { timeoutMs: START_MS }).catch(() => {
    throw new Error(`no response within ${START_MS} ms:\n${child.output().slice(-2000)}`)
  })
  if (!child.running()) throw ended()
}

export function redisCpu(info: string): number {
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? Number.NaN)
  return field('used_cpu_user') + field('used_cpu_sys')
}

function total({ user, kernel }: CpuSeconds): number {
  return user + kernel
}
