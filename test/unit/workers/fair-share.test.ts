// Shares of a lane: what one party may have running, and how often those who wait ask again.

import { DelayedError, type Job } from 'bullmq'
import { expect, it } from 'vitest'
import { FairShare } from '../../../workers/lanes/fair-share.ts'

const NOW = 1_000_000

/** A job that notes until when it stands back. */
function jobs() {
  const delayedUntil: number[] = []
  const job = { moveToDelayed: async (ms: number) => void delayedUntil.push(ms) } as unknown as Job
  return { job, delayedUntil }
}

it('nobody has more than a share running, and others are let through', async () => {
  const share = new FairShare(() => 2)
  const { job, delayedUntil } = jobs()
  const at = { job, token: 't', nowMs: NOW }
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  const running = [share.run('a', at, () => held), share.run('a', at, () => held)]
  await expect(share.run('a', at, async () => 'third')).rejects.toBeInstanceOf(DelayedError)
  expect(delayedUntil).toHaveLength(1)
  expect(await share.run('b', at, async () => 'another')).toBe('another')
  end()
  await Promise.all(running)
  expect(await share.run('a', at, async () => 'third')).toBe('third')
})

it('of a thousand jobs that stand back not all ask again at once', async () => {
  const share = new FairShare(() => 1)
  const { job, delayedUntil } = jobs()
  const at = { job, token: 't', nowMs: NOW }
  const running = share.run('a', at, () => new Promise<void>(() => undefined))
  for (let i = 0; i < 1000; i++)
    await expect(share.run('a', at, async () => undefined)).rejects.toBeInstanceOf(DelayedError)
  const inOneSecond = delayedUntil.filter((ms) => ms < NOW + 2000)
  expect(inOneSecond).toHaveLength(10)
  expect(Math.min(...delayedUntil)).toBe(NOW + 1000)
  expect(running).toBeInstanceOf(Promise)
})
