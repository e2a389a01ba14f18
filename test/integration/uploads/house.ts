// A service inside the test: the real parts and the real app on a port of their own, over a real Redis and a directory
// or a bucket. Several houses over one Redis and one store are several machines.

import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildApp } from '../../../src/app.ts'
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import { loadConfig } from '../../../src/core/config.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { createDeps } from '../../../src/deps.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { startUploads } from '../../../src/uploads/lifecycle.ts'
import { sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'
import type { StoreKind } from '../../support/over-both-stores.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'
import { startS3, type TestS3, useCredentials } from '../../support/s3.ts'
import { idOf, type TusUser, tusUser } from '../../support/tus.ts'
import { PROFILE, writeProfile } from './profile.ts'

export const PORTAL = 'portal-secret-0123456789'
export const OTHER = 'other-secret-0123456789'
export const SECRET = 'a-ticket-secret-of-thirty-two-characters'

export type HouseOptions = {
  store?: StoreKind
  /** Of another house, to be a second machine. Absent: one of its own, ended with it. */
  redis?: TestRedis
  /** Another way to that Redis, through a proxy. */
  redisUrl?: string
  s3?: TestS3
  /** Another way to that S3 server, through a proxy. */
  s3Endpoint?: string
  /** Of another house: the same directory. */
  dataDir?: string
  env?: Record<string, string>
  clock?: Clock
  /** How long webhooks that are queued again after a loss of Redis wait. */
  webhookDelayMs?: number
  appendOnly?: boolean
}

export type House = Awaited<ReturnType<typeof openHouse>>

export async function openHouse(options: HouseOptions = {}) {
  const { store = 'local', env = {}, clock = systemClock } = options
  const redis = options.redis ?? (await startRedis({ appendOnly: options.appendOnly ?? false }))
  const s3 = store === 's3' ? (options.s3 ?? (await startS3())) : undefined
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'songngan-uploads-')))
  const profilesDir = join(dataDir, 'profiles')
  await writeProfile(profilesDir)
  if (s3 !== undefined) useCredentials(s3)
  const config = loadConfig({
    REDIS_URL: options.redisUrl ?? redis.url,
    DATA_DIR: dataDir,
    PROFILES_DIR: profilesDir,
    TICKET_SECRET: SECRET,
    API_KEYS: `portal:${PORTAL},other:${OTHER}`,
    PORT: '0',
    ...s3?.env,
    ...(options.s3Endpoint === undefined ? {} : { S3_ENDPOINT: options.s3Endpoint }),
    ...env,
  })
  const lines: string[] = []
  const level = process.env['TEST_LOG_LEVEL'] ?? 'info'
  const logger = createLogger({ name: 'house', level }, { write: (line) => void lines.push(line) })
  const { webhookDelayMs } = options
  const deps = await createDeps(config, logger, {
    clock,
    ...(webhookDelayMs === undefined ? {} : { webhookDelayMs }),
  })
  const stopUploads = await startUploads(deps)
  const app = await buildApp(deps)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  let submissions = 0

  const portal = async (method: string, path: string, body?: unknown, key = PORTAL) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
    }
  }

  /** A new submission; its id. */
  const submission = async (change: Record<string, unknown> = {}): Promise<string> => {
    const id = `s-${process.pid}-${Date.now()}-${++submissions}`
    const { status, body } = await portal('PUT', `/v1/submissions/${id}`, { profile: PROFILE, ...change })
    if (status >= 300) throw new Error(`PUT submission: ${status} ${JSON.stringify(body)}`)
    return id
  }

  const ticket = async (id: string, slot: string, more: Record<string, unknown> = {}): Promise<string> => {
    const { status, body } = await portal('POST', `/v1/submissions/${id}/tickets`, { slot, ...more })
    if (status !== 201) throw new Error(`POST ticket: ${status} ${JSON.stringify(body)}`)
    return String(body['ticket'])
  }

  /** Somebody who may upload into a slot of a submission of his own. */
  const user = async (slot: string, more: Record<string, unknown> = {}): Promise<TusUser> =>
    tusUser(url, await ticket(await submission(), slot, more))

  const record = async (address: string): Promise<UploadRecord> => {
    const found = await deps.uploads.fromStore(idOf(address))
    if (found === undefined) throw new Error(`no record of ${address}`)
    return found
  }

  /** SHA-256 of what is stored, once it is one object. */
  const storedSha256 = async (address: string): Promise<string> => {
    const { object, receivedBytes } = await record(address)
    await waitFor(async () => (await deps.store.head(object.key))?.bytes === receivedBytes, {
      what: `${address} to be one object of ${receivedBytes} bytes`,
    })
    const chunks: Buffer[] = []
    for await (const chunk of await deps.store.open(object.key)) chunks.push(chunk as Buffer)
    return sha256(Buffer.concat(chunks))
  }

  let open = true
  const leave = async () => {
    if (!open) return
    open = false
    await stopUploads()
    app.server.closeAllConnections()
    await app.close()
    await deps.close()
  }
  return {
    deps,
    app,
    url,
    redis,
    s3,
    dataDir,
    store,
    lines,
    stopUploads,
    portal,
    submission,
    ticket,
    user,
    record,
    storedSha256,
    leave,
    /** Ends the service, and whatever this house started for itself. */
    async close() {
      await leave()
      if (options.redis === undefined) await redis.stop()
      if (options.s3 === undefined) await s3?.stop()
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
  }
}
