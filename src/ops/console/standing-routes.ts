// Who has handed in, who has not, and why files are rejected.

import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import { operatorOf } from '../access.ts'
import { byCode } from '../counters.ts'
import type { Found } from '../find/find-index.ts'
import { putStanding, readGroups, readStanding, STANDINGS } from '../find/standings.ts'
import type { OpsDeps } from '../ops-deps.ts'
import { readRollup, summed } from '../rollup.ts'

/** Documents are made for so many at a time. */
const PAGE = 50
const LONGEST_MS = 2 * 86_400_000

const TodayQuery = Type.Object({ sinceMs: Type.Integer({ minimum: 0 }) })
const ListQuery = Type.Object({
  deadlineMs: Type.Integer({ minimum: 0 }),
  profile: Type.String({ maxLength: 200 }),
  standing: Type.Union(STANDINGS.map((standing) => Type.Literal(standing))),
  after: Type.String({ maxLength: 500, default: '' }),
})

/** Registers `GET /console/api/standings`, the counts, and `/console/api/standings/list`, the submissions of one. */
export function standingRoutes(scope: FastifyInstance, deps: OpsDeps): void {
  const { redis, clock, securityLog } = deps

  scope.get<{ Querystring: Static<typeof TodayQuery> }>(
    '/console/api/standings',
    { schema: { querystring: TodayQuery } },
    async (request, reply) => {
      const nowMs = clock.now()
      const fromMs = Math.max(request.query.sinceMs, nowMs - LONGEST_MS)
      const [groups, buckets] = await Promise.all([readGroups(redis, nowMs), readRollup(redis, 3600, fromMs, nowMs)])
      void reply.header('cache-control', 'no-store')
      return { groups, rejections: byCode(summed(buckets), 'rejected:') }
    },
  )

  scope.get<{ Querystring: Static<typeof ListQuery> }>(
    '/console/api/standings/list',
    { schema: { querystring: ListQuery } },
    async (request, reply) => {
      const { standing, after, ...group } = request.query
      const found = await readStanding(redis, group, standing, { after, limit: PAGE })
      const items = (await Promise.all(found.map((one) => present(deps, one, standing)))).flatMap((item) => item ?? [])
      const on =
        items.length === 0 ? null : `submission ${items.map((one) => `${one.owner}/${one.submissionId}`).join(' ')}`
      const what = `listed who is ${standing}, ${group.profile}; ${items.length} submissions shown`
      await securityLog.record({ event: 'personal.search', actor: operatorOf(request), on, what })
      const last = found.length < PAGE ? undefined : found.at(-1)
      void reply.header('cache-control', 'no-store')
      return { items, next: last === undefined ? null : `${last.owner}/${last.submissionId}` }
    },
  )
}

/** Undefined: it stands otherwise by now, which is put right. */
async function present({ redis, support }: OpsDeps, found: Found, standing: string) {
  const [summary, now] = await Promise.all([support?.summary(found), support?.standing(found)])
  if (summary !== undefined && now?.standing === standing) return { ...found, ...summary, missing: now.missing }
  await putStanding(redis, found, now ?? null)
  return undefined
}
