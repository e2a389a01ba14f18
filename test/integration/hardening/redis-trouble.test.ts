// Every route of the service while Redis is connected and refuses: what can be answered is answered as ever; what cannot
// is 503 with a code and when to come again, 423 where a tus client would take 503 for the end. Never a 500, and never a
// refusal that tells a client of something else. The routes are Fastify's own list.

import { Agent } from 'node:http'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { buildApp } from '../../../src/app.ts'
import { openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startRedis } from '../../support/redis.ts'
import { type Answer, ask } from './support/ask.ts'
import { type CredentialName, setScene } from './support/credentials.ts'

type Trouble = { what: string; args?: string[]; begin: (redis: Redis, another: Redis) => Promise<unknown> }

const TROUBLES: Trouble[] = [
  { what: 'READONLY', begin: (redis) => redis.replicaof('127.0.0.1', 1) },
  {
    what: 'MASTERDOWN',
    begin: async (redis) => {
      await redis.config('SET', 'replica-serve-stale-data', 'no')
      await redis.replicaof('127.0.0.1', 1)
    },
  },
  { what: 'OOM', begin: (redis) => redis.config('SET', 'maxmemory', '1') },
  {
    what: 'LOADING',
    args: ['--enable-debug-command', 'local'],
    async begin(redis, another) {
      // Loads its own snapshot, a key in two seconds: longer than this test takes.
      await redis.config('SET', 'key-load-delay', '2000000', 'loading-process-events-interval-bytes', '1024')
      // Answered when it is done, or never.
      another.call('DEBUG', 'RELOAD').catch(() => undefined)
      await waitFor(
        () =>
          redis.get('x').then(
            () => false,
            (error: Error) => /^LOADING/.test(error.message),
          ),
        {
          what: 'the server to load',
        },
      )
    },
  },
]

/** Answered in these ways when all is well, too: the calls of this test ask for no more. */
const ORDINARY: Record<string, number[]> = {
  'POST /v1/submissions/:id/return': [409],
  'POST /v1/submissions/:id/close': [409],
  'DELETE /v1/submissions/:id/close': [409],
  'POST /v1/receipts/verify': [400],
  'GET /media/*': [403],
  'HEAD /media/*': [403],
  'GET /portal/:version/*': [404],
  'GET /verify/:version/*': [404],
  'GET /client/:version/*': [404],
  'GET /receipts/*': [403],
  // Only for probes, which have a secret of their own.
  'POST /v1/outages': [401],
  'GET /v1/submissions/:id/receipt': [409],
  'POST /v1/submissions/:id/receipt/links': [409],
  'GET /docs/static/index.html': [302],
}
const CODES = ['REDIS_UNAVAILABLE', 'INDEX_REBUILDING']

function isRight(route: string, { status, code, retryAfter }: Answer): boolean {
  const [method = '', path = ''] = route.split(' ')
  if (status < 300 || ORDINARY[route]?.includes(status) === true) return true
  if (path.startsWith('/files') && code === 'METHOD_NOT_ALLOWED') return true
  if (path === '/files' && method === 'HEAD') return status === 405
  const uploads = path === '/files/*' && (method === 'HEAD' || method === 'PATCH')
  if (status !== (uploads ? 423 : 503) || retryAfter === null) return false
  return method === 'HEAD' || CODES.includes(code ?? '')
}

test.for(TROUBLES)('$what', async ({ args = [], begin }, { onTestFinished: onEnd }) => {
  const redis = await startRedis({ appendOnly: true, args })
  onEnd(() => redis.stop())
  const stack = await openEnvironment({ redis })
  onEnd(() => stack.close())
  const agent = new Agent({ keepAlive: true })
  onEnd(() => agent.destroy())
  const operators = [
    new Redis(redis.url, { retryStrategy: null }),
    new Redis(redis.url, { retryStrategy: null }),
  ] as const
  onEnd(() => {
    for (const operator of operators) operator.disconnect()
  })
  await stack.deps.rebuilder.run()
  const routes: string[] = []
  const app = await buildApp(stack.deps, { onRoute: (method, url) => routes.push(`${method} ${url}`) })
  await app.close()
  const scene = await setScene(stack)

  await begin(...operators)
  const answers = await Promise.all(
    routes.map(async (route) => {
      const name: CredentialName = route.includes(' /files') ? 'ticket' : 'key'
      return [route, await ask(route, { stack, scene, name, agent })] as const
    }),
  )
  expect(
    answers.filter(([route, answer]) => !isRight(route, answer)).map(([route, { cell }]) => `${route}: ${cell}`),
  ).toEqual([])
  expect(answers.length).toBeGreaterThan(40)
  // The trouble was there: what must write could not.
  const of = (route: string) => answers.find(([name]) => name === route)?.[1].status
  expect([of('POST /files'), of('PUT /v1/submissions/:id')]).toEqual([503, 503])
})
