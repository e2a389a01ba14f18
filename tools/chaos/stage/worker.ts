// A worker process whose jobs, should it die, are handed out again soon; else the same as workers/main.ts.

import { exitOnStartError } from '../../../src/core/start-error.ts'
import { runWorker } from '../../../workers/process.ts'

runWorker({ timing: { lockMs: 2000, stalledCheckMs: 1000 }, graceMs: 200 }).catch(exitOnStartError)
