// tus-js-client in Node: the cases of its own end-to-end tests (a complete file, data with the creation, a length declared
// later, a stream, termination), and the ways in which pages use it.

import { createReadStream } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Upload, type UploadOptions } from 'tus-js-client'
import type { Client, Scenario, Task } from './model.ts'
import { installedVersion } from './packages.ts'

const MIB = 1024 ** 2
const RETRY_DELAYS_MS = [0, 200, 500, 1000, 2000, 3000, 5000, 5000]

type Source = ConstructorParameters<typeof Upload>[0]

function upload(source: Source, { endpoint }: Task, options: Partial<UploadOptions> = {}) {
  let settle: { resolve: (url: string) => void; reject: (error: Error) => void } | undefined
  const done = new Promise<string>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const client = new Upload(source, {
    endpoint,
    retryDelays: RETRY_DELAYS_MS,
    metadata: { filename: 'การสอน.mp4', filetype: 'video/mp4' },
    storeFingerprintForResuming: false,
    onSuccess: () => settle?.resolve(client.url ?? ''),
    onError: (error) => settle?.reject(error),
    ...options,
  })
  client.start()
  return { client, done }
}

const stored = (name: string, send: (task: Task) => Promise<string>): Scenario => ({ name, ends: 'stored', send })

const SCENARIOS: Scenario[] = [
  stored('one PATCH', (task) => upload(task.bytes, task).done),
  stored('in chunks of 1 MiB', (task) => upload(task.bytes, task, { chunkSize: MIB }).done),
  stored('data with the creation', (task) => upload(task.bytes, task, { uploadDataDuringCreation: true }).done),
  stored(
    'a file stream',
    (task) => upload(createReadStream(task.path), task, { chunkSize: MIB, uploadSize: task.bytes.length }).done,
  ),
  stored(
    'a length declared later',
    (task) => upload(task.bytes, task, { chunkSize: MIB, uploadLengthDeferred: true }).done,
  ),
  stored('four partial uploads at the same time', (task) => upload(task.bytes, task, { parallelUploads: 4 }).done),
  stored('resumed by another client', resumed),
  {
    name: 'terminated when complete',
    ends: 'gone',
    send: async (task) => {
      const url = await upload(task.bytes, task).done
      await Upload.terminate(url)
      return url
    },
  },
]

/** A page that is closed in the middle; another one resumes with its upload URL. */
async function resumed(task: Task): Promise<string> {
  let sent = 0
  const first = upload(task.bytes, task, {
    onProgress: (bytes) => {
      sent = bytes
    },
  })
  while (sent < task.bytes.length / 3) await pause(5)
  await first.client.abort()
  return await upload(task.bytes, task, { uploadUrl: first.client.url }).done
}

export const tusJs: Client = {
  name: 'tus-js-client',
  version: installedVersion('tus-js-client'),
  prepare: () => Promise.resolve(SCENARIOS),
}
