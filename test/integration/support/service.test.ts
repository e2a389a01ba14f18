import { expect, onTestFinished, test } from 'vitest'
import { startService, startWorker } from '../../support/service.ts'

test.each([
  ['service', startService, /REDIS_URL is required[\s\S]*TICKET_SECRET must have/],
  // It is given no secrets that sign.
  ['worker', startWorker, /REDIS_URL is required/],
])('a %s that refuses its configuration tells why instead of never being ready', async (_, start, reason) => {
  const running = await start({ env: { REDIS_URL: '', TICKET_SECRET: 'short' } })
  onTestFinished(() => running.stop())
  await expect(running.ready()).rejects.toThrow(reason)
  expect(await running.exited).toEqual({ code: 78, signal: null })
})
