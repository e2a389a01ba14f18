// Whole services over a real Redis and a directory or a bucket, and the real tus-js-client as the one who uploads.

import { join } from 'node:path'
import { shardOfUpload } from '../../../src/core/ids.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import type { ObjectStore } from '../../../src/storage/object-store.ts'
import { sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'
import { API_KEY, type Installation, openInstallation } from '../../support/installation.ts'
import type { StoreKind } from '../../support/over-both-stores.ts'
import { INTAKE, writeProfiles } from '../../support/profiles.ts'
import { storeOver } from '../../support/s3.ts'

export type World = Awaited<ReturnType<typeof openWorld>>

export const openWorld = (store: StoreKind) => openInstallation({ store }, onInstallation)

async function onInstallation({ dir, dataDir, redis, s3, undo, close, ...installation }: Installation) {
  const profiles = join(dir, 'profiles')
  await writeProfiles(profiles)
  const store = s3 === undefined ? new LocalObjectStore(dataDir) : storeOver(s3)
  undo.add(() => store.close())

  const portal = async (origin: string, method: string, path: string, body: unknown) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Record<string, unknown>
  }

  return {
    redis,
    s3,
    store,
    /** A service process that is ready. */
    service: (env: Record<string, string> = {}) => installation.service({ PROFILES_DIR: profiles, ...env }),

    /** A ticket for the slot `film` of a new submission. */
    async ticket(origin: string): Promise<string> {
      const id = `e2e-${process.pid}-${Math.random().toString(36).slice(2)}`
      await portal(origin, 'PUT', `/v1/submissions/${id}`, { profile: INTAKE })
      const { ticket } = await portal(origin, 'POST', `/v1/submissions/${id}/tickets`, { slot: 'film' })
      return String(ticket)
    },

    /** What the store itself says of an upload. */
    async record(id: string): Promise<UploadRecord | undefined> {
      return await newestRecord(store, id)
    },

    /** SHA-256 of the stored file, once it is one object. */
    async storedSha256(id: string): Promise<string> {
      const record = await waitFor(
        async () => {
          const found = await newestRecord(store, id)
          if (found?.storedAt == null) return undefined
          return (await store.head(found.object.key))?.bytes === found.receivedBytes ? found : undefined
        },
        { what: `${id} to be one object` },
      )
      const chunks: Buffer[] = []
      for await (const chunk of await store.open(record.object.key)) chunks.push(chunk as Buffer)
      return sha256(Buffer.concat(chunks))
    },

    close,
  }
}

/** Read without the service's own code for records: a sequence of numbered files, or metadata of a single object. */
async function newestRecord(store: ObjectStore, id: string): Promise<UploadRecord | undefined> {
  const prefix = `uploads/${shardOfUpload(id)}/${id}/`
  let newest: string | undefined
  let single: string | undefined
  for await (const { key } of store.list(prefix)) {
    if (key.startsWith(`${prefix}record-`)) newest = key
    else if (key.startsWith(`${prefix}one-`)) single = key
  }
  if (newest !== undefined) {
    const body = await store.read(newest)
    return body === undefined ? undefined : (JSON.parse(body.toString('utf8')) as UploadRecord)
  }
  const encoded = single === undefined ? undefined : (await store.head(single))?.metadata['record']
  if (encoded === undefined || single === undefined) return undefined
  const record = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as UploadRecord
  return { ...record, object: { key: single } }
}
