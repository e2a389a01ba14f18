// A whole installation for one test file: Redis, the service and workers as processes of their own, a portal and its files.

import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { EventBody } from '../../../src/records/event-body.ts'
import type { UploadDocument } from '../../../src/submissions/document/schemas.ts'
import { Portal } from '../../../tools/lib/portal.ts'
import { type Child, startChild } from '../../support/children.ts'
import { waitFor } from '../../support/http.ts'
import { API_KEY, type Installation as Opened, openInstallation } from '../../support/installation.ts'
import { idOf, send, tusUser } from '../../support/tus.ts'

export { API_KEY } from '../../support/installation.ts'

/** A profile that is shipped: what its slots ask for is what teachers meet. */
export const PROFILE = 'teacher.K4@1'
const QUICK_WORKER = join(import.meta.dirname, '../../support/quick-worker.ts')

export type Installation = Awaited<ReturnType<typeof startInstallation>>

/** Starts Redis, the service and one worker, or none; `env` comes on top of what every installation needs. */
export function startInstallation({
  env = {},
  worker = true,
}: {
  env?: Record<string, string>
  worker?: boolean
} = {}) {
  return openInstallation({ env }, (opened) => onInstallation(opened, worker))
}

async function onInstallation({ redis, undo, close, ...opened }: Opened, withWorker: boolean) {
  const [service, ...workers] = await Promise.all([opened.service(), ...(withWorker ? [opened.worker()] : [])])
  const portal = new Portal({ base: new URL(service.url), apiKey: API_KEY })
  const quickWorkers: Child[] = []
  let submissions = 0

  const submission = async (id = `e2e-${++submissions}`): Promise<string> => {
    await portal.putSubmission(id, { profile: PROFILE })
    return id
  }

  /** Somebody with a ticket for a slot. */
  const user = async (submissionId: string, slot: string) => {
    const { ticket } = await portal.ticket(submissionId, slot)
    return tusUser(service.url, ticket)
  }

  const stopWorkers = async (): Promise<void> => {
    await Promise.all([...workers.splice(0), ...quickWorkers.splice(0)].map((worker) => worker.stop()))
  }

  undo.add(stopWorkers)
  return {
    redis,
    service,
    portal,
    submission,
    user,
    workers,
    stopWorkers,

    /** A call of the portal's, refusals included. */
    call: (method: string, path: string, body?: object, key: string | null = API_KEY) =>
      send(
        method,
        `${service.url}${path}`,
        {
          ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        body === undefined ? undefined : Buffer.from(JSON.stringify(body)),
      ),

    /** A worker whose jobs, should it die, are handed out again within seconds instead of a minute and a half. */
    async quickWorker(): Promise<Child> {
      const child = await startChild(process.execPath, ['--import', 'tsx', QUICK_WORKER], {
        env: { ...service.env, OPS_PORT: '0', TRANSCODE_CONCURRENCY: '1' },
      })
      quickWorkers.push(child)
      const running = () => !child.running() || child.output().includes('worker is running')
      await waitFor(running, { what: 'a worker to be running' })
      if (!child.running()) throw new Error(`the worker ended:\n${child.output()}`)
      return child
    },

    /** Uploads a whole file; the upload's id. */
    async handIn(submissionId: string, slot: string, path: string, name = basename(path)): Promise<string> {
      const bytes = await readFile(path)
      const teacher = await user(submissionId, slot)
      const url = await teacher.create({ length: bytes.length, name })
      const { status, text } = await teacher.patch(url, 0, bytes)
      if (status !== 204) throw new Error(`PATCH ${name}: ${status} ${text}`)
      return idOf(url)
    },

    /** The upload's document, once it is as asked for. */
    async until(id: string, is: (upload: UploadDocument) => boolean): Promise<UploadDocument> {
      let last: UploadDocument | undefined
      const look = async () => {
        last = await portal.upload(id)
        return is(last) && last
      }
      return await waitFor(look, { intervalMs: 50, what: `upload ${id}` }).catch((error: Error) => {
        throw new Error(`${error.message}\n${JSON.stringify(last, null, 1)}`, { cause: error })
      })
    },

    /** Everything that was told of an upload, in its order. */
    async eventsOf(uploadId: string): Promise<EventBody[]> {
      const all: EventBody[] = []
      for (let cursor: string | undefined; ; ) {
        const { items, nextCursor } = await portal.events(cursor)
        if (items.length === 0) return all.filter(({ data }) => data.uploadId === uploadId)
        all.push(...items)
        cursor = nextCursor
      }
    },

    close,
  }
}
