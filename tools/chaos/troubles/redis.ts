// Redis hangs, is killed, comes back older than what was acknowledged, or comes back empty, while somebody uploads.

import { MIB, slowly } from '../drives/uploads.ts'
import type { TroubleRow } from '../model.ts'

const HUNG_MS = 3000
const AWAY_MS = 1000

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const hung = slowly(async ({ stage, sender, arm }) => {
  stage.redis.pause()
  await pause(HUNG_MS)
  stage.redis.resume()
  arm()
  return sender
})

const restarted = slowly(async ({ stage, sender, arm }) => {
  await stage.redis.kill()
  await pause(AWAY_MS)
  await stage.redis.restart()
  arm()
  return sender
})

const older = slowly(
  async ({ stage, line, sender, arm }) => {
    const copy = await stage.redis.snapshot()
    // What is acknowledged from here on, this copy knows nothing of.
    line.cut()
    await sender.sent(2.5 * MIB)
    line.cut()
    await stage.redis.kill()
    await stage.redis.restart({ dir: copy })
    arm()
    return sender
  },
  { metAt: MIB },
)

const empty = slowly(async ({ stage, line, sender, arm }) => {
  line.cut()
  await sender.sent(2 * MIB)
  await stage.admin.flushall()
  arm()
  return sender
})

const emptyAndNew = slowly(async ({ stage, line, sender, arm }) => {
  line.cut()
  await sender.sent(2 * MIB)
  const dir = await stage.redis.emptyDir()
  await stage.redis.kill()
  await stage.redis.restart({ dir })
  arm()
  return sender
})

export const REDIS_TROUBLES: readonly TroubleRow[] = [
  { name: 'hangs for three seconds', what: 'Redis', drive: hung },
  { name: 'killed and started again', what: 'Redis', drive: restarted },
]

/** These lose the log of events too. */
export const REDIS_LOSSES: readonly TroubleRow[] = [
  { name: 'comes back older than what was acknowledged', what: 'Redis', drive: older },
  { name: 'FLUSHALL', what: 'Redis', drive: empty },
  { name: 'comes back empty', what: 'Redis', drive: emptyAndNew },
]
