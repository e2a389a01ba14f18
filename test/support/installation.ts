// An installation of its own, in whole processes: Redis, a store, services and workers. What is started first is ended last,
// also where something fails on the way.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Undo } from '../../tools/lib/undo.ts'
import { startCluster } from './cluster.ts'
import { TICKET_SECRET } from './drafts.ts'
import type { StoreKind } from './over-both-stores.ts'
import { type RedisOptions, startRedis } from './redis.ts'
import { startS3 } from './s3.ts'
import { startSentinels } from './sentinel.ts'
import { type Running, type StartOptions, startService, startWorker } from './service.ts'

/** The portal whose key every installation knows. */
export const PORTAL = 'school'
export const API_KEY = 'school-secret-0123456789'

export type RedisShape = 'one' | 'sentinel' | 'cluster'

const START = { one: startRedis, sentinel: startSentinels, cluster: startCluster } as const

export type InstallationOptions = Pick<StartOptions, 'from'> & {
  store?: StoreKind
  redis?: RedisOptions
  /** Default: one server. */
  redisAs?: RedisShape
  /** Of who opens it, where something must outlive the installation; ended with it. */
  undo?: Undo
  /** Where DATA_DIR is to lie; default a new folder, and with S3 one for each process, as on machines of their own. */
  dataDir?: string
  /** Of all processes, besides what every installation needs. */
  env?: Record<string, string>
}

export type Installation = Awaited<ReturnType<typeof opened>>

/**
 * Redis, a store and a folder, and what `build` starts over them. `build` hands on `close`, which ends everything; where
 * it fails, everything is ended at once.
 */
export async function openInstallation<T>(
  options: InstallationOptions,
  build: (installation: Installation) => Promise<T>,
): Promise<T> {
  const { undo = new Undo() } = options
  try {
    return await build(await opened(options, undo))
  } catch (error) {
    await undo.run()
    throw error
  }
}

async function opened({ store = 'local', from, ...options }: InstallationOptions, undo: Undo) {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-installation-'))
  undo.add(() => rm(dir, { recursive: true, force: true }))
  const redis = await START[options.redisAs ?? 'one']({ appendOnly: true, ...options.redis })
  undo.add(() => redis.stop())
  const s3 = store === 's3' ? await startS3() : undefined
  undo.add(() => s3?.stop())
  const dataDir = options.dataDir ?? join(dir, 'data')
  const env: Record<string, string> = {
    REDIS_URL: redis.url,
    TICKET_SECRET,
    API_KEYS: `${PORTAL}:${API_KEY}`,
    ...s3?.env,
    ...options.env,
  }
  /** Services and workers, in the order of their starts. */
  const running: Running[] = []
  undo.add(() => Promise.all(running.map((one) => one.stop())))
  /** The environment of one more process. */
  const envOf = async (own: Record<string, string>) => {
    const isAlone = s3 !== undefined && options.dataDir === undefined
    return { ...env, DATA_DIR: isAlone ? await mkdtemp(join(dir, 'machine-')) : dataDir, ...own }
  }
  const start = async (role: typeof startService, own: Record<string, string>) => {
    const one = await role({ env: await envOf(own), ...(from === undefined ? {} : { from }) })
    running.push(one)
    await one.ready()
    return one
  }
  return {
    dir,
    dataDir,
    redis,
    s3,
    running,
    /** Where what `build` starts is to be ended. */
    undo,
    envOf,
    /** One more service that is ready, with settings of its own besides. */
    service: (own: Record<string, string> = {}) => start(startService, own),
    /** One more worker that is ready. */
    worker: (own: Record<string, string> = {}) => start(startWorker, own),
    close: () => undo.run(),
  }
}
