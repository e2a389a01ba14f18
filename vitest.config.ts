import { defineConfig } from 'vitest/config'

// unit: pure, parallel. integration: a real Redis, S3 server or ffmpeg, started by each file for itself.
// e2e: whole processes, one file at a time, so that kills and timings do not disturb each other.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'] } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/chaos/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          // Whole processes, real time-outs of real clients: on a machine that is busy with others, one may come too late.
          retry: 1,
        },
      },
    ],
  },
})
