// The primary under Sentinels fails in the middle of uploads and jobs.

import { test } from 'vitest'
import { startSentinels } from '../../support/sentinel.ts'
import { losePrimary } from './primary-lost.ts'

test.for(['kill', 'pause'] as const)('%s of the primary in the middle', async (how, { onTestFinished: onEnd }) => {
  const redis = await startSentinels({ appendOnly: true })
  onEnd(() => redis.stop())
  await losePrimary(redis, how, onEnd)
})
