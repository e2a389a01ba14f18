// One receiving process: the app on the shared port and its background tasks. A single process also runs the
// operations listener and the reconciler; with several, the primary does (primary.ts).

import { buildApp } from './app.ts'
import type { Config } from './core/config.ts'
import type { Logger } from './core/logger.ts'
import { createDeps, type Deps } from './deps.ts'
import { closeListener } from './http/drain.ts'
import { attach } from './ops/attach.ts'
import { startSingletonServices } from './singleton-services.ts'
import { startUploads } from './uploads/lifecycle.ts'

export type Running = { deps: Deps; close(): Promise<void> }

export async function startService(config: Config, logger: Logger, options: { alone: boolean }): Promise<Running> {
  const deps = await createDeps(config, logger)
  const stopUploads = await startUploads(deps)
  deps.attempts.start()
  const app = await buildApp(deps)
  const singletons = options.alone ? await startSingletonServices(deps) : undefined
  const attached = await attach(deps, 'service', (settings) => {
    deps.admission.setClosed(settings.admission)
    deps.admission.setDraining(settings.draining)
    singletons?.applyControls(settings)
  })
  await app.listen({ host: config.http.host, port: config.http.port })
  singletons?.started()
  return {
    deps,
    async close() {
      singletons?.prepareClose()
      deps.admission.drain()
      deps.drain.abort()
      // Running requests store what they have: their clients continue with another process, since this one accepts no
      // more connections.
      await Promise.all([
        closeListener(app),
        stopUploads(),
        // In an outage of Redis the requests end later than this process may: what was attempted so far does not wait for them.
        deps.attempts.stop().catch((err: unknown) => logger.warn({ err }, 'attempts are not stored yet')),
      ])
      await deps.attempts.stop()
      await attached.stop()
      await singletons?.close()
      await deps.close()
    },
  }
}
