// The worker's own operations listener: alive, ready, metrics. On OPS_HOST and OPS_PORT, which `npm start` and compose set
// for each process.

import { createServer, type Server } from 'node:http'
import type { Kit } from './kit.ts'

/** Resolves when it listens; rejects where the port is taken. */
export async function listenForOps(
  { config, metrics, redis, logger }: Kit,
  isReady: () => boolean,
): Promise<Server> {
  const answers: Record<string, () => Promise<[status: number, body: string, type: string]>> = {
    '/health/live': () => Promise.resolve([200, '{"status":"live"}', JSON_TYPE]),
    async '/health/ready'() {
      const ready = isReady() && redis.jobs.status === 'ready'
      return [ready ? 200 : 503, JSON.stringify({ status: ready ? 'ready' : 'not ready' }), JSON_TYPE]
    },
    '/metrics': async () => [200, await metrics.text(), metrics.registry.contentType],
  }
  const server = createServer((request, response) => {
    const answer = answers[new URL(request.url ?? '/', 'http://ops').pathname]
    if (answer === undefined) {
      response.writeHead(404).end()
      return
    }
    answer().then(
      ([status, body, type]) => response.writeHead(status, { 'content-type': type }).end(body),
      (err: unknown) => {
        logger.warn({ err }, 'an operations request failed')
        response.writeHead(500).end()
      },
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.ops.port, config.ops.host, resolve)
  })
  return server
}

const JSON_TYPE = 'application/json'
