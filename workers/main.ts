// Entry of the worker.

import { exitOnStartError } from '../src/core/start-error.ts'
import { runWorker } from './process.ts'

runWorker().catch(exitOnStartError)
