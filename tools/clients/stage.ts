// A service without authorization, a proxy to it that cuts connections during an upload, and a check of what was stored.

import { createHash } from 'node:crypto'
import { type Installation, openInstallation } from '../../test/support/installation.ts'
import { startTcpProxy } from '../../test/support/proxy.ts'

export type StoreName = 'local' | 's3'
export type Stage = Awaited<ReturnType<typeof openStage>>

const LOOK_EVERY_MS = 5

export const openStage = (store: StoreName) =>
  openInstallation({ store, env: { AUTH: 'none', CORS_ORIGINS: '*' } }, onInstallation)

async function onInstallation({ undo, close, ...installation }: Installation) {
  const service = await installation.service()
  const line = await startTcpProxy(service.url)
  undo.add(() => line.stop())
  return {
    endpoint: `${line.url}/files`,

    /**
     * Runs `send` over a connection that needs `seconds` for the file and is cut `cuts` times, at equal distances.
     * Resolves with the URL of `send`, and how often the connection was cut.
     */
    async overCutLine(
      send: () => Promise<string>,
      { bytes, cuts, seconds }: { bytes: number; cuts: number; seconds: number },
    ): Promise<{ url: string; cuts: number }> {
      const before = line.sentBytes()
      let done = 0
      line.set({ bytesPerSecond: Math.ceil(bytes / seconds) })
      const watch = setInterval(() => {
        if (done >= cuts || line.sentBytes() - before < (bytes * (done + 1)) / (cuts + 1)) return
        if (line.cut() > 0) done++
      }, LOOK_EVERY_MS)
      try {
        return { url: await send(), cuts: done }
      } finally {
        clearInterval(watch)
        line.reset()
      }
    },

    /** Status of a GET of the upload, without the proxy, and the SHA-256 of the response body. */
    async read(url: string): Promise<{ status: number; sha256: string }> {
      const response = await fetch(`${service.url}${new URL(url).pathname}`)
      const hash = createHash('sha256')
      for await (const chunk of response.body ?? []) hash.update(chunk)
      return { status: response.status, sha256: hash.digest('hex') }
    },

    close,
  }
}
