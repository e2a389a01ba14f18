// A worker process with short job locks, so that its jobs run again soon after it dies; and that is ended soon where its event loop stands still; otherwise as workers/main.ts.

import { exitOnStartError } from '../../src/core/start-error.ts'
import { runWorker } from '../../workers/process.ts'

runWorker({ timing: { lockMs: 2000, stalledCheckMs: 1000 }, graceMs: 200, loopLimitMs: 10_000 }).catch(exitOnStartError)
