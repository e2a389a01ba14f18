// CPU time per request: what server and Redis used while a flood of requests ran.

import type { FloodResult } from '../client/flood.ts'
import type { Running } from '../servers/running.ts'

export async function requestCost(
  running: Running,
  run: () => Promise<FloodResult>,
): Promise<{ result: FloodResult; cpuMicroseconds: number }> {
  const before = await running.usage()
  const result = await run()
  const after = await running.usage()
  const server = after.server.user - before.server.user + after.server.kernel - before.server.kernel
  const redis = (after.redisSeconds ?? 0) - (before.redisSeconds ?? 0)
  return { result, cpuMicroseconds: ((server + redis) / result.requests) * 1e6 }
}
