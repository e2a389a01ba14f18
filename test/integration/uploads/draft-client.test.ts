// tus-js-client as a client of the IETF draft, through a line that breaks, up to the verdict.

import type { UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { QUICK } from '../../support/environment-worker.ts'
import { waitFor } from '../../support/http.ts'
import { onePage } from '../../support/media/pdf-build.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import { idOf } from '../../support/tus.ts'
import { sendFile } from '../../support/tus-js.ts'

/** A page, and after its end what readers of PDF pass over: enough bytes to be interrupted. */
const file = Buffer.concat([onePage(), Buffer.from(`%${' '.repeat(600_000)}\n`)])
// With a fingerprint a creation that got no answer finds its upload again: this client reads no 104.
const metadata = { filename: 'แผน.pdf', filetype: 'application/pdf', fingerprint: 'f' }

overBothStores((kind) => {
  let stack: Environment
  beforeAll(async () => {
    stack = await openEnvironment({ store: kind, env: { RESUMABLE_UPLOADS: 'draft' }, lanes: 'validate' })
    await stack.start(QUICK)
  })
  afterAll(() => stack.close())

  test.each([
    ['ietf-draft-05', {}],
    ['ietf-draft-05', { uploadDataDuringCreation: true }],
    ['ietf-draft-05', { chunkSize: 100_000 }],
    ['ietf-draft-03', {}],
  ] as const)('%s %j: the line breaks twice, the client goes on, the file is accepted', async (protocol, options) => {
    const line = await startTcpProxy(stack.url)
    try {
      const ticket = await stack.ticket(await stack.submission(), 'plan')
      line.set({ bytesPerSecond: 400_000 })
      // Its types do not know `protocol`.
      const speaking = { protocol } as Partial<UploadOptions>
      const sender = sendFile(line.url, ticket, file, {
        ...speaking,
        metadata,
        retryDelays: [0, 100, 500, 1000],
        ...options,
      })
      for (const share of [0.3, 0.7]) {
        await waitFor(() => line.sentBytes() > share * file.length, { what: `${share} of the file to be sent` })
        line.cut()
      }
      const url = await sender.done
      expect(sender.requests().filter((request) => request === 'HEAD 204').length).toBeGreaterThan(0)
      expect(sender.requests().filter((request) => request === 'POST 201').length).toBeLessThanOrEqual(1)
      const { state, declared } = await stack.until(
        idOf(url),
        ({ state }) => state === 'accepted' || state === 'rejected',
      )
      expect({ state, ...declared }).toEqual({
        state: 'accepted',
        filename: metadata.filename,
        type: metadata.filetype,
        bytes: file.length,
      })
      expect(await stack.storedSha256(url)).toBe(sha256(file))
    } finally {
      await line.stop()
    }
  })
})
