// tus-js-client in Node: the cases of its own end-to-end tests (a complete file, data with the creation, a length declared
// later, a stream, termination), and the ways in which pages use it.

import { createReadStream } from 'node:fs'
import { Upload, type UploadOptions } from 'tus-js-client'
import { type Sender, type Source, sendFile } from '../../test/support/tus-js.ts'
import type { Client, Scenario, Task } from './model.ts'
import { installedVersion } from './packages.ts'

const MIB = 1024 ** 2
const RETRY_DELAYS_MS = [0, 200, 500, 1000, 2000, 3000, 5000, 5000]

function upload(source: Source, { endpoint }: Task, options: Partial<UploadOptions> = {}): Sender {
  return sendFile(new URL(endpoint).origin, null, source, { retryDelays: RETRY_DELAYS_MS, ...options })
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
  const first = upload(task.bytes, task)
  await first.sent(task.bytes.length / 3)
  await first.abandon()
  return await upload(task.bytes, task, { uploadUrl: first.url() ?? null }).done
}

export const tusJs: Client = {
  name: 'tus-js-client',
  version: installedVersion('tus-js-client'),
  prepare: () => Promise.resolve(SCENARIOS),
}
