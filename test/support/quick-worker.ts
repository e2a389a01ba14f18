// A worker process with short job locks, so that its jobs run again soon after it dies; otherwise as workers/main.ts.

import { exitOnStartError } from '../../src/core/start-error.ts'
import { runWorker } from '../../workers/process.ts'

runWorker({ timing: { lockMs: 2000, stalledCheckMs: 1000 }, graceMs: 200 }).catch(exitOnStartError)
