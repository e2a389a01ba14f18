// Redis hangs, is killed, returns with data older than the acknowledged offset, or returns empty, during an upload.

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
    // Bytes acknowledged from here on are missing in this copy.
    line.cut()
    await sender.sent(2.5 * MIB)
    line.cut()
    await stage.redis.kill()
    await stage.redis.restart({ dir: copy })
    arm()
    return sender
  },
  { actAtBytes: MIB },
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

/** In these rows the event log is lost too. */
export const REDIS_LOSSES: readonly TroubleRow[] = [
  { name: 'returns with data older than the acknowledged offset', what: 'Redis', drive: older },
  { name: 'FLUSHALL', what: 'Redis', drive: empty },
  { name: 'returns empty', what: 'Redis', drive: emptyAndNew },
]
