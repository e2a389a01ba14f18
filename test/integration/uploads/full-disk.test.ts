// The disk of a service fills up: what is new is refused politely, what runs stops where it is and loses nothing, and all
// goes on when there is room. The disk is a real one, of a size that the test sets.

import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { buildOpsServer } from '../../../src/ops/ops-server.ts'
import { Spool } from '../../../src/uploads/stores/spool.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { describeOnSmallDisk } from '../../support/small-disk.ts'
import { expectProblem } from './problem.ts'

const MIB = 1024 ** 2

await describeOnSmallDisk('a disk without room', ({ disk, undo }) => {
  let stack: Environment
  let ready: () => Promise<{ status: number; reason?: string }>

  beforeAll(async () => {
    stack = await openEnvironment({ dataDir: disk().dir })
    undo.add(() => stack.close())
    const { deps } = stack
    const state = { started: true, draining: false }
    const ops = await buildOpsServer({ ...deps, redis: deps.redis.producer, state })
    ready = async () => {
      const answer = await ops.inject({ url: '/health/ready' })
      return { status: answer.statusCode, reason: answer.json().reason }
    }
  })

  it('takes what fits beside the reserve, and refuses what does not with 503 and when to come back', async () => {
    await disk().setFree(600 * MIB)
    const user = await stack.user('film')
    const small = await user.post({ length: MIB, name: 'a.mp4' })
    expect(small.status).toBe(201)
    // Asked at most once a second.
    const large = await waitFor(
      async () => {
        const answer = await user.post({ length: 200 * MIB, name: 'b.mp4' })
        return answer.status !== 201 && answer
      },
      { what: 'the service to see it' },
    )
    expectProblem(large, 503, 'NO_SPACE')
    expect(Number(large.headers['retry-after'])).toBeGreaterThan(0)
    expect(await ready()).toEqual({ status: 200 })
    await disk().setFree(null)
  })

  it('a PATCH that no longer fits is 507, keeps what was stored, and goes on when there is room', async () => {
    const bytes = filmBytes(8 * MIB)
    const user = await stack.user('film')
    const url = await user.create({ length: bytes.length, name: 'a.mp4' })
    await user.patch(url, 0, bytes.subarray(0, MIB))
    await disk().setFree(2 * MIB)
    const full = await user.patch(url, MIB, bytes.subarray(MIB))
    expectProblem(full, 507, 'NO_SPACE')
    expect(Number(full.headers['retry-after'])).toBeGreaterThan(0)
    const offset = await user.offset(url)
    expect(offset).toBeGreaterThanOrEqual(MIB)
    expect(await ready()).toEqual({ status: 503, reason: expect.stringContaining('disk full') })
    await disk().setFree(null)
    expect((await user.patch(url, offset, bytes.subarray(offset))).status).toBe(204)
    expect(await stack.storedSha256(url)).toBe(sha256(bytes))
    expect(await ready()).toEqual({ status: 200 })
  })

  it('a spool whose disk is full is a full spool: what waits goes to the bucket, and no upload fails for it', async () => {
    const folder = join(disk().dir, 'spool', String(process.pid))
    const spool = new Spool(folder, 1024 * MIB)
    await spool.start()
    const file = spool.create()
    await disk().setFree(2 * MIB)
    expect(await file.append([Buffer.alloc(MIB, 1)], MIB)).toBe(true)
    expect(await file.append([Buffer.alloc(8 * MIB, 2)], 8 * MIB)).toBe(false)
    expect(spool.used).toBe(MIB)
    await disk().setFree(null)
    expect(await file.append([Buffer.alloc(MIB, 3)], MIB)).toBe(true)
    const found = Buffer.alloc(2 * MIB)
    await file.readInto(found)
    expect(sha256(found)).toBe(sha256(Buffer.concat([Buffer.alloc(MIB, 1), Buffer.alloc(MIB, 3)])))
    await file.remove()
    expect(await readdir(folder)).toEqual([])
    await rm(folder, { recursive: true })
  })
})
