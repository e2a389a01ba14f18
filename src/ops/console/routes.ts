// `/console`: the dashboard and the support look-up. It shows names of people, so it is behind the
// same password as the queues. It has no state of its own, so any process can serve it.

import { join } from 'node:path'
import staticFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { guarded, operatorOf } from '../access.ts'
import { instanceName } from '../control-watch.ts'
import { Controls } from '../controls.ts'
import { type DashboardSnapshot, readDashboard } from '../dashboard.ts'
import { FindIndex, type Found } from '../find/find-index.ts'
import type { OpsDeps } from '../ops-deps.ts'
import { takePulse } from '../pulse.ts'
import { runbookPage } from './runbook.ts'
import { standingRoutes } from './standing-routes.ts'

/** Only own files, no frames, no HTML from text. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const PAGE = 'index.html'
const MAX_FOUND = 30
const MAX_SECURITY_ENTRIES = 200
/** Reading the same submission on and on is one event. */
const READ_EVERY_MS = 15 * 60_000
/** Cache time of the dashboard: several screens load it every two seconds. */
const FRESH_MS = 1000

const DayQuery = Type.Object({ minutes: Type.Integer({ minimum: 5, maximum: 2880, default: 10 }) })
const FindQuery = Type.Object({ text: Type.String({ maxLength: 200 }) })
const SubmissionParams = Type.Object({ owner: Type.String(), id: Type.String() })

/** Registers `GET /console`, `/console/{file}`, `/console/runbook` and `/console/api/{pulse,day,standings,find,submissions/:owner/:id,security}`. */
export async function consoleRoutes(app: FastifyInstance, deps: OpsDeps): Promise<void> {
  const { config, redis, clock, support, securityLog } = deps
  const day = remembered(deps, new Controls(deps))
  const find = new FindIndex(redis)
  const guard = { paths: ['/console', '/console/*'], what: 'The console' }

  await guarded(app, deps, guard, async (scope) => {
    // A few small files for an office's own network: nothing is compressed.
    await scope.register(staticFiles, {
      root: join(import.meta.dirname, 'assets'),
      prefix: '/console/',
      wildcard: false,
      globIgnore: [PAGE],
      cacheControl: false,
      setHeaders: (reply) => void reply.header('cache-control', 'no-cache'),
    })
    scope.get('/console', (_request, reply) => reply.header('content-security-policy', CSP).sendFile(PAGE))
    scope.get('/console/runbook', async (_request, reply) => {
      void reply.header('content-security-policy', CSP).header('cache-control', 'no-cache')
      return await reply.type('text/html; charset=utf-8').send(await runbookPage())
    })

    scope.get('/console/api/pulse', async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
      return await takePulse(deps)
    })

    scope.get<{ Querystring: Static<typeof DayQuery> }>(
      '/console/api/day',
      { schema: { querystring: DayQuery } },
      async (request, reply) => {
        void reply.header('cache-control', 'no-store')
        return {
          ...(await day(request.query.minutes)),
          refusal: deps.redisWatch.refusal() ?? null,
          readOnly: config.ops.readOnly,
          instance: instanceName(config.ops),
        }
      },
    )

    scope.get<{ Querystring: Static<typeof FindQuery> }>(
      '/console/api/find',
      { schema: { querystring: FindQuery } },
      async (request, reply) => {
        void reply.header('cache-control', 'no-store')
        const text = request.query.text.trim()
        const byId = await support?.ofUpload(text)
        const { found, more } = byId === undefined ? await find.search(text, MAX_FOUND) : { found: [byId], more: false }
        const items = await present(find, found, deps)
        // Never the text: it is a name, or a citizen id.
        const what = `searched; ${found.length}${more ? ' or more' : ''} submissions shown`
        const on = found.length === 0 ? null : `submission ${found.map(nameOf).join(' ')}`
        await securityLog.record({ event: 'personal.search', actor: operatorOf(request), on, what })
        return { items, more }
      },
    )

    scope.get<{ Params: Static<typeof SubmissionParams> }>(
      '/console/api/submissions/:owner/:id',
      { schema: { params: SubmissionParams } },
      async (request, reply) => {
        const { owner, id } = request.params
        const file = await support?.file({ owner, submissionId: id })
        if (file === undefined) return await reply.code(404).send({ error: 'There is no such submission.' })
        const on = `submission ${owner}/${id}`
        // The page loads it again every two seconds.
        const read = { event: 'personal.read', actor: operatorOf(request), on } as const
        await securityLog.recordNowAndThen(read, READ_EVERY_MS)
        return await reply.header('cache-control', 'no-store').send({ ...file, at: clock.now() })
      },
    )

    standingRoutes(scope, deps)

    scope.get('/console/api/security', async (_request, reply) => {
      void reply.header('cache-control', 'no-store')
      return { items: await securityLog.newest(MAX_SECURITY_ENTRIES) }
    })
  })
}

function nameOf({ owner, submissionId }: Found): string {
  return `${owner}/${submissionId}`
}

/** Summaries of the found submissions; deleted ones are removed from the index. */
async function present(find: FindIndex, found: readonly Found[], { support }: OpsDeps): Promise<object[]> {
  const items: object[] = []
  for (const one of found) {
    const summary = await support?.summary(one)
    if (summary === undefined) await find.remove(one)
    else items.push(summary)
  }
  return items
}

function remembered(deps: OpsDeps, controls: Controls): (minutes: number) => Promise<DashboardSnapshot> {
  const kept = new Map<number, { atMs: number; day: Promise<DashboardSnapshot> }>()
  return async (minutes) => {
    const nowMs = deps.clock.now()
    const last = kept.get(minutes)
    if (last !== undefined && nowMs - last.atMs < FRESH_MS) return await last.day
    for (const [key, { atMs }] of kept) if (nowMs - atMs > FRESH_MS) kept.delete(key)
    const day = readDashboard({ ...deps, controls }, minutes * 60)
    kept.set(minutes, { atMs: nowMs, day })
    return await day
  }
}
