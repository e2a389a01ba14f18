import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { PATIENCE_MS } from './test/support/http.ts'

// unit: pure. integration: a real Redis, S3 server or ffmpeg, started by each file for itself. Most of both is waiting:
// one more worker than there are cores. Files of a worker share its modules: loading them anew for each costs minutes.
// e2e: whole processes, afterwards, so that kills and timings do not disturb those. They wait most of the time as well.
const SMALL = { maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 0 } }
const WHOLE = { maxWorkers: 3, sequence: { groupOrder: 1 } }
// Tests wait for conditions, five minutes each (test/support/http.ts), which fail with their names. The rest is for what hangs.
const FAR = { testTimeout: 1_200_000, hookTimeout: 1_200_000, expect: { poll: { timeout: PATIENCE_MS } } }

export default defineConfig({
  test: {
    projects: [
      { test: { ...FAR, ...SMALL, isolate: false, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          ...FAR,
          ...SMALL,
          isolate: false,
          name: 'integration',
          globalSetup: 'test/page-setup.mjs',
          include: ['test/integration/**/*.test.ts'],
        },
      },
      {
        test: {
          ...FAR,
          ...WHOLE,
          name: 'e2e',
          globalSetup: 'test/page-setup.mjs',
          include: ['test/e2e/**/*.test.ts'],
        },
      },
    ],
  },
})
