// A service that is killed in the middle of an erasure: whoever comes next goes on with it, until nothing is left.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FaultPoint } from '../../../src/core/fault-points.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { freePort, PATIENCE_MS } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { startService } from '../../support/service.ts'
import { findTraces, keptInBucket, keptInDirectory, keptInRedis } from '../../support/traces.ts'
import { idOf, tusUser } from '../../support/tus.ts'

/** More than one part of a multipart upload. */
const PIECE = 9_000_000

overBothStores((kind) => {
  let stack: Environment
  let orders: string
  /** The clock of the process that goes on is a little later: what is due in a minute is due. */
  let aheadMs = 0

  beforeAll(async () => {
    orders = await mkdtemp(join(tmpdir(), 'songngan-orders-'))
    const clock = { now: () => Date.now() + aheadMs }
    stack = await openEnvironment({ store: kind, clock, appendOnly: true })
  })
  afterAll(async () => {
    await stack?.close()
    await rm(orders, { recursive: true, force: true })
  })

  /** A submission with an upload that was half sent and one that was not begun, whose texts all hold `mark`. */
  async function filed(mark: string): Promise<{ submission: string; upload: string }> {
    const submission = await stack.submission({ uniqueKey: `key-${mark}`, metadata: { name: `meta-${mark}` } })
    const user = tusUser(stack.url, await stack.ticket(submission, 'film', { subject: `subject-${mark}` }))
    const creation = { length: 3 * PIECE, name: `name-${mark}.mp4`, type: 'video/mp4', fingerprint: `print-${mark}` }
    const half = await user.create(creation)
    // `ftyp`, as films begin.
    const bytes = Buffer.alloc(PIECE, mark)
    bytes.write('\0\0\0\x18ftypisom', 0, 'latin1')
    expect((await user.patch(half, 0, bytes)).status).toBe(204)
    const other = tusUser(stack.url, await stack.ticket(submission, 'extras', { subject: `subject-${mark}` }))
    await other.create({ length: 1000, name: `other-${mark}.pdf`, type: 'application/pdf' })
    await stack.deps.attempts.flush()
    return { submission, upload: idOf(half) }
  }

  async function traces(mark: string): Promise<string[]> {
    const store = stack.s3 === undefined ? await keptInDirectory(stack.dataDir) : await keptInBucket(stack.s3)
    return findTraces([...store, ...(await keptInRedis(stack.deps.redis.hot))], { mark })
  }

  /** Who the security log says erased something. */
  const proofOf = async (on: string) =>
    (await stack.deps.securityLog.newest(100))
      .filter((entry) => entry.on === on)
      .map(({ event, by }) => ({ event, by }))
  const byReconciler = { by: expect.stringMatching(/^service at /) }

  /** DELETE at a service that dies at a step of it. */
  async function deletedUntil(point: FaultPoint, path: string): Promise<void> {
    const service = await startService({ env: { ...stack.env, PORT: String(await freePort()), FAULT_POINTS: orders } })
    try {
      await service.ready()
      await writeFile(join(orders, 'armed'), `${point} 1 ${point}`)
      const call = fetch(`${service.url}${path}`, {
        method: 'DELETE',
        headers: { authorization: `Bearer ${PORTAL_KEY}` },
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      await expect(call).rejects.toThrow()
      expect((await service.exited).signal).toBe('SIGKILL')
    } finally {
      await service.stop()
    }
  }

  const points: FaultPoint[] = [
    'version.created',
    'erase.head-committed',
    'erase.upload-committed',
    'erase.upload-removed',
    'erase.uploads-erased',
    'erase.head-removed',
  ]
  it.each(kind === 'local' ? points : points.slice(0, 2))('of a submission, killed at %s', async (point) => {
    const mark = `mark-${kind}-${point.replace('.', '-')}`
    const { submission } = await filed(mark)
    expect((await traces(mark)).length).toBeGreaterThan(5)
    await deletedUntil(point, `/v1/submissions/${submission}`)
    aheadMs += 61_000
    await stack.deps.reconciler.tick()
    expect(await traces(mark)).toEqual([])
    expect((await stack.deps.heads.fromStore('portal', submission))?.erasedAt).toBeDefined()
    const finished = { event: 'submission.erase', ...byReconciler }
    const begun = { event: 'submission.erase', by: 'portal portal' }
    const isLate = point === 'version.created' || point === 'erase.head-committed'
    expect(await proofOf(`submission portal/${submission}`)).toEqual(isLate ? [finished] : [finished, begun])
    await stack.put(`heir-${mark}`, { uniqueKey: `key-${mark}` })
    await stack.call('DELETE', `/v1/submissions/heir-${mark}`)
  })

  const uploadPoints: FaultPoint[] = ['version.created', 'terminate.committed', 'erase.upload-committed']
  it.each(kind === 'local' ? uploadPoints : uploadPoints.slice(0, 1))('of one upload, killed at %s', async (point) => {
    const mark = `one-${kind}-${point.replace('.', '-')}`
    const { submission, upload } = await filed(mark)
    await deletedUntil(point, `/v1/uploads/${upload}`)
    aheadMs += 61_000
    await stack.deps.reconciler.tick()
    const left = await traces(mark)
    expect(left.filter((trace) => trace.includes(upload))).toEqual([])
    expect(findTraces(await keptInRedis(stack.deps.redis.hot), { name: `name-${mark}.mp4` })).toEqual([])
    expect((await stack.deps.uploads.fromStore(upload))?.erasedAt).toBeDefined()
    const by = point === 'erase.upload-committed' ? { by: 'portal portal' } : byReconciler
    expect(await proofOf(`upload ${upload}`)).toEqual([{ event: 'upload.erase', ...by }])
    await stack.call('DELETE', `/v1/submissions/${submission}`)
  })

  it('of a submission, then Redis is lost too', async () => {
    const mark = `mark-${kind}-lost`
    const { submission } = await filed(mark)
    await deletedUntil('erase.head-committed', `/v1/submissions/${submission}`)
    await stack.deps.redis.hot.flushall()
    await stack.deps.rebuilder.run()
    aheadMs += 61_000
    await stack.deps.reconciler.tick()
    expect(await traces(mark)).toEqual([])
  })
})
