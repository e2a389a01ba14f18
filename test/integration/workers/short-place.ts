// A process that has the place for short work, and no other.

import { loadWorkerConfig } from '../../../src/core/config.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { exitOnStartError } from '../../../src/core/start-error.ts'
import { createDeps } from '../../../src/deps.ts'
import { createWorkerContext } from '../../../workers/create-worker-context.ts'
import { startShortWork } from '../../../workers/lanes/short-work.ts'

async function main(): Promise<void> {
  const config = loadWorkerConfig()
  const deps = await createWorkerContext(await createDeps(config, createLogger({ name: 'place', level: 'info' })))
  startShortWork(deps, async () => true)
}

main().catch(exitOnStartError)
