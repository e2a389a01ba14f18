// What happens to connections and processes while somebody uploads with the real client: nothing acknowledged is lost,
// hardly a byte is sent twice, and the client never begins again.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { LEASE_MS } from '../../../src/records/upload-session-store.ts'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { waitFor } from '../../support/http.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import { startTcpProxy } from '../../support/proxy.ts'
import type { Running } from '../../support/service.ts'
import { at, idOf, tusUser } from '../../support/tus.ts'
import { sendFile } from '../../support/tus-js.ts'
import { startSwitch } from './switch.ts'
import { openWorld, type World } from './world.ts'

const MIB = 1024 ** 2
const LENGTH = 40 * MIB
const bytes = filmBytes(LENGTH, 'e2e')
const digest = sha256(bytes)
/** What lies in the buffers of a line when it is cut is sent again: at most so much, on a busy machine. */
const BUFFERED = 10 * MIB

overBothStores((kind) => {
  let world: World
  let one: Running
  let two: Running

  beforeAll(async () => {
    world = await openWorld(kind)
    ;[one, two] = await Promise.all([world.service(), world.service()])
  })
  afterAll(() => world.close())

  const posts = (requests: string[]) => requests.filter((line) => line.startsWith('POST')).length

  test('a cable pulled three times', async () => {
    const line = await startSwitch([one.url], { bytesPerSecond: 30 * MIB })
    try {
      const sender = sendFile(line.url, await world.ticket(one.url), bytes)
      for (const share of [0.2, 0.5, 0.8]) {
        await sender.sent(share * LENGTH)
        line.cut()
      }
      const url = await sender.done
      expect(posts(sender.requests())).toBe(1)
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      expect(line.receivedBytes()).toBeLessThan(LENGTH + 3 * BUFFERED)
    } finally {
      await line.stop()
    }
  })

  test('a half-open connection: another client goes on at once, and the dead one changes nothing', async () => {
    const line = await startTcpProxy(one.url)
    try {
      const ticket = await world.ticket(one.url)
      const dead = sendFile(line.url, ticket, bytes, { chunkSize: LENGTH })
      await waitFor(() => line.sentBytes() > 12 * MIB)
      line.set({ halfOpen: true })
      const url = at(two.url, dead.url() ?? '')
      const before = await tusUser(two.url, ticket).offset(url)
      expect(before).toBeGreaterThan(0)
      const startedAtMs = performance.now()
      const next = sendFile(two.url, ticket, bytes, { uploadUrl: url })
      await next.sent(before + MIB)
      expect(performance.now() - startedAtMs).toBeLessThan(LEASE_MS)
      await next.done
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      line.reset()
      await dead.abandon()
      expect(await tusUser(two.url, ticket).offset(url)).toBe(LENGTH)
    } finally {
      await line.stop()
    }
  })

  test('two clients that both want one upload: the newer wins, the older is told, the file is right', async () => {
    const line = await startSwitch([one.url], { bytesPerSecond: 10 * MIB })
    try {
      const ticket = await world.ticket(one.url)
      const older = sendFile(line.url, ticket, bytes)
      await older.sent(10 * MIB)
      const url = at(two.url, older.url() ?? '')
      const newer = sendFile(two.url, ticket, bytes, { uploadUrl: url })
      await expect(older.done).rejects.toThrow(/UPLOAD_TAKEN_OVER|response code: 400/)
      await newer.done
      expect(await world.storedSha256(idOf(url))).toBe(digest)
    } finally {
      await line.stop()
    }
  })

  test('SIGTERM in the middle: another process takes over, and the client never notices', async () => {
    const line = await startSwitch([one.url, two.url], { bytesPerSecond: 20 * MIB })
    try {
      const sender = sendFile(line.url, await world.ticket(two.url), bytes)
      await sender.sent(20 * MIB)
      await one.kill('SIGTERM')
      expect((await one.exited).code).toBe(0)
      await sender.sent(30 * MIB)
      const url = await sender.done
      expect(posts(sender.requests())).toBe(1)
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      // What was still on its way into the answer is sent again.
      expect(line.receivedBytes()).toBeLessThan(LENGTH + BUFFERED)
    } finally {
      await line.stop()
      await one.kill('SIGKILL')
      await one.restart()
      await one.ready()
    }
  })

  test('kill -9 in the middle of a PATCH: another process goes on at or after what was acknowledged', async () => {
    const line = await startSwitch([one.url, two.url], { bytesPerSecond: 20 * MIB })
    try {
      const ticket = await world.ticket(two.url)
      const sender = sendFile(line.url, ticket, bytes)
      // Off the boundary of a part.
      await sender.sent(19 * MIB)
      const user = tusUser(two.url, ticket)
      const url = at(two.url, sender.url() ?? '')
      const acknowledged = await waitFor(async () => {
        const offset = await user.offset(url)
        return offset > 16 * MIB && offset
      })
      await sender.sent(acknowledged + 3 * MIB)
      await one.kill('SIGKILL')
      expect(await user.offset(url)).toBeGreaterThanOrEqual(acknowledged)
      await sender.done
      expect(posts(sender.requests())).toBe(1)
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      // What the dead process had received beyond what was asked about is sent again; a part or two.
      expect(line.receivedBytes()).toBeLessThan(LENGTH + 18 * MIB)
    } finally {
      await line.stop()
      await one.kill('SIGKILL')
      await one.restart()
      await one.ready()
    }
  })

  test('kill -9 of the only process, and a restart', async () => {
    const line = await startSwitch([one.url], { bytesPerSecond: 20 * MIB })
    try {
      // A start from source takes longer than the client's own patience.
      const retryDelays = Array.from({ length: 60 }, () => 500)
      const sender = sendFile(line.url, await world.ticket(one.url), bytes, { retryDelays })
      await sender.sent(19 * MIB)
      await one.kill('SIGKILL')
      await one.restart()
      const url = await sender.done
      expect(posts(sender.requests())).toBe(1)
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      expect(line.receivedBytes()).toBeLessThan(LENGTH + 18 * MIB)
    } finally {
      await line.stop()
    }
  })
})
