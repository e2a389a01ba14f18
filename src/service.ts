// One receiving process: the app on the shared port, and what runs beside its requests. Alone it also keeps the
// operations listener and the reconciler; behind a primary, that one does (primary.ts).

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
  const attached = await attach(deps, 'service', ({ admission, draining }) => {
    deps.admission.setClosed(admission)
    deps.admission.setDraining(draining)
    singletons?.setDraining(draining)
  })
  await app.listen({ host: config.http.host, port: config.http.port })
  singletons?.started()
  return {
    deps,
    async close() {
      singletons?.prepareClose()
      deps.admission.drain()
      deps.drain.abort()
      // Running requests hand over what they have: their clients go on with another process, since this one takes no
      // further connections.
      await Promise.all([closeListener(app), stopUploads()])
      await deps.attempts.stop()
      await attached.stop()
      await singletons?.close()
      await deps.close()
    },
  }
}
