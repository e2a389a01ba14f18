import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

// unit: pure. integration: a real Redis, S3 server or ffmpeg, started by each file for itself. Most of both is waiting:
// one more worker than there are cores. Files of a worker share its modules: loading them anew for each costs minutes.
// e2e: whole processes, afterwards and fewer at a time, so that kills and timings do not disturb each other.
const SMALL = { maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 0 } }
const WHOLE = { maxWorkers: 2, sequence: { groupOrder: 1 } }

export default defineConfig({
  test: {
    projects: [
      { test: { ...SMALL, isolate: false, name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          ...SMALL,
          isolate: false,
          name: 'integration',
          globalSetup: 'test/page-setup.mjs',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          ...WHOLE,
          name: 'e2e',
          globalSetup: 'test/page-setup.mjs',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Whole processes, real time-outs of real clients: on a machine that is busy with others, one may come too late.
          retry: 1,
        },
      },
    ],
  },
})
