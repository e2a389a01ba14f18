// Redis restarts, loses everything, or comes back older while somebody uploads with the real client: the client goes on
// from where it was, and hardly a byte is sent twice.

import type { UploadOptions } from 'tus-js-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filmBytes, sha256 } from '../../support/bytes.ts'
import { overBothStores } from '../../support/over-both-stores.ts'
import type { Running } from '../../support/service.ts'
import { idOf, tusUser } from '../../support/tus.ts'
import { type Sender, sendFile } from '../../support/tus-js.ts'
import { startSwitch } from './switch.ts'
import { openWorld, type World } from './world.ts'

const MIB = 1024 ** 2
const LENGTH = 160 * MIB
const CHUNK = 40 * MIB
/** What one interruption may cost, however large the file is: the PATCH that was interrupted, and two parts of 8 MiB. */
const INTERRUPTION_BYTES = CHUNK + 16 * MIB
const MOST = 1.1 * LENGTH
const bytes = filmBytes(LENGTH, 'redis')
const digest = sha256(bytes)

overBothStores((kind) => {
  let world: World
  let service: Running

  beforeAll(async () => {
    world = await openWorld(kind)
    service = await world.service()
  })
  afterAll(() => world.close())

  /** Uploads, with `trouble` on the way; `options` may say when. */
  async function upload(
    options: Partial<UploadOptions>,
    trouble: (sender: Sender, ticket: string) => Promise<unknown>,
    mostBytes = MOST,
  ): Promise<void> {
    const line = await startSwitch([service.url], { bytesPerSecond: 150 * MIB })
    try {
      const ticket = await world.ticket(service.url)
      const sender = sendFile(line.url, ticket, bytes, options)
      await trouble(sender, ticket)
      const url = await sender.done
      expect(sender.requests().filter((line) => line.startsWith('POST'))).toEqual(['POST 201'])
      expect(await world.storedSha256(idOf(url))).toBe(digest)
      expect(line.receivedBytes()).toBeLessThan(mostBytes)
    } finally {
      await line.stop()
    }
  }

  /** Runs each step before the PATCH of that number is sent. */
  const beforePatch = (steps: Record<number, () => Promise<unknown>>): Partial<UploadOptions> => {
    let patches = 0
    return {
      chunkSize: CHUNK,
      onBeforeRequest: async (request) => {
        if (request.getMethod() === 'PATCH') await steps[++patches]?.()
      },
    }
  }

  test('restarted with its data', async () => {
    await upload({}, async (sender) => {
      await sender.sent(2.3 * CHUNK)
      await world.redis.restart()
    })
  })

  test('emptied between two PATCHes', async () => {
    const empty = async () => world.redis.restart({ dir: await world.redis.emptyDir() })
    await upload(beforePatch({ 3: empty }), async (sender) => {
      await sender.done
      expect(sender.requests()).not.toContain('HEAD 404')
    })
  })

  test('emptied in the middle of a PATCH, after somebody asked how far it was', async () => {
    const trouble = async (sender: Sender, ticket: string) => {
      await sender.sent(2.3 * CHUNK)
      const url = sender.url() ?? ''
      const acknowledged = await tusUser(service.url, ticket).offset(url)
      expect(acknowledged).toBeGreaterThan(CHUNK)
      await world.redis.restart({ dir: await world.redis.emptyDir() })
      expect(await tusUser(service.url, ticket).offset(url)).toBeGreaterThanOrEqual(acknowledged)
    }
    await upload({}, trouble, LENGTH + INTERRUPTION_BYTES)
  })

  test('older than what was acknowledged', async () => {
    let older = ''
    const steps = {
      2: async () => {
        older = await world.redis.snapshot()
      },
      4: () => world.redis.restart({ dir: older }),
    }
    await upload(beforePatch(steps), async (sender) => {
      await sender.done
      expect(sender.acknowledged()).toBe(LENGTH)
    })
  })
})
