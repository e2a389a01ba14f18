// Shares of a lane: what one party may have running, and how often those who wait ask again.

import { DelayedError, type Job } from 'bullmq'
import { expect, it } from 'vitest'
import type { NotifyJob } from '../../../src/jobs/contract.ts'
import { FairShare } from '../../../workers/lanes/fair-share.ts'
import { JobReleased } from '../../../workers/lanes/job-released.ts'
import { sharedByPortal } from '../../../workers/registry.ts'

const never = () => new Promise<never>(() => undefined)

it('nobody has more than a share running, and others are let through', async () => {
  const share = new FairShare(() => 2)
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  const running = [share.run('a', () => held), share.run('a', () => held)]
  await expect(share.run('a', async () => 'third')).rejects.toBeInstanceOf(JobReleased)
  expect(await share.run('b', async () => 'another')).toBe('another')
  end()
  await Promise.all(running)
  expect(await share.run('a', async () => 'third')).toBe('third')
})

it('of a thousand jobs that stand back not all ask again at once', async () => {
  const share = new FairShare(() => 1)
  void share.run('a', never)
  const startedMs = performance.now()
  const asksMs: number[] = []
  for (let i = 0; i < 1000; i++) {
    const refusal = await share.run('a', never).catch((error: JobReleased) => error)
    asksMs.push(performance.now() - startedMs + refusal.pauseMs)
  }
  expect(asksMs[0]).toBeGreaterThanOrEqual(1000)
  for (const [i, askMs] of asksMs.entries()) expect(askMs).toBeGreaterThanOrEqual(1000 + i * 100 - 1)
})

it('comes again after its pause by the clock of this process, which BullMQ asks, whatever Redis says the time is', async () => {
  const share = new FairShare(() => 1)
  void share.run('portal', never)
  const delayedUntil: number[] = []
  const job = { data: { owner: 'portal' }, moveToDelayed: async (ms: number) => void delayedUntil.push(ms) }
  const deliver = sharedByPortal(never, share)
  await expect(deliver(job as unknown as Job<NotifyJob>, 't')).rejects.toBeInstanceOf(DelayedError)
  expect(delayedUntil[0]).toBeGreaterThan(Date.now())
  expect(delayedUntil[0]).toBeLessThan(Date.now() + 60_000)
})
