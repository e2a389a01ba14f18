// The control settings over HTTP, below /control: readable with the password, changed only if OPS_READ_ONLY is off.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import { LANES } from '../jobs/contract.ts'
import { guarded, operatorOf } from './access.ts'
import { instanceName } from './control-watch.ts'
import { Controls, changeInWords, DEFAULT_RETRY_SECONDS, MAX_CONCURRENCY, MAX_RETRY_SECONDS } from './controls.ts'
import { readProcesses } from './heartbeat.ts'
import type { OpsDeps } from './ops-deps.ts'
import { statsOfQueues } from './queue-stats.ts'

const closed = { additionalProperties: false } as const

const AdmissionBody = Type.Object(
  {
    open: Type.Boolean(),
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 300 })),
    retryAfterSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_RETRY_SECONDS })),
  },
  closed,
)
const LaneParams = Type.Object({ lane: Type.Enum([...LANES]) })
const LaneBody = Type.Object(
  {
    paused: Type.Optional(Type.Boolean()),
    concurrency: Type.Optional(
      Type.Unsafe<number | null>({ type: ['integer', 'null'], minimum: 1, maximum: MAX_CONCURRENCY }),
    ),
  },
  closed,
)
const DrainBody = Type.Object(
  {
    draining: Type.Boolean(),
    instance: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    evenLast: Type.Optional(Type.Boolean()),
  },
  closed,
)

/** Registers `GET /control` and `PUT /control/{admission,lanes/:lane,drain}`. */
export async function controlRoutes(app: FastifyInstance, deps: OpsDeps): Promise<void> {
  const controls = new Controls(deps)
  const guard = { paths: ['/control', '/control/*'], what: 'The control settings' }
  await guarded(app, deps, guard, (scope) => {
    scope.addHook('onRequest', async (request, reply) => {
      void reply.header('cache-control', 'no-store')
      if (request.method === 'GET' || !deps.config.ops.readOnly) return undefined
      return await reply.code(403).send({ code: 'READ_ONLY', error: 'OPS_READ_ONLY is on: changes are not allowed.' })
    })
    scope.get('/control', () => controlView(deps, controls))

    scope.put<{ Body: Static<typeof AdmissionBody> }>(
      '/control/admission',
      { schema: { body: AdmissionBody } },
      async (request, reply) => {
        const { open, reason, retryAfterSeconds = DEFAULT_RETRY_SECONDS } = request.body
        if (open) await controls.openAdmission(operatorOf(request))
        else if (reason === undefined) return await missing(reply, 'reason is required; callers see it')
        else await controls.closeAdmission(operatorOf(request), { reason, retryAfterSeconds })
        return await controlView(deps, controls)
      },
    )

    scope.put<{ Params: Static<typeof LaneParams>; Body: Static<typeof LaneBody> }>(
      '/control/lanes/:lane',
      { schema: { params: LaneParams, body: LaneBody } },
      async (request: FastifyRequest<{ Params: Static<typeof LaneParams>; Body: Static<typeof LaneBody> }>) => {
        const { lane } = request.params
        const { paused, concurrency } = request.body
        const actor = operatorOf(request)
        if (paused === true) await controls.pauseLane(actor, lane)
        if (paused === false) await controls.resumeLane(actor, lane)
        if (concurrency !== undefined) await controls.setConcurrency(actor, lane, concurrency)
        return await controlView(deps, controls)
      },
    )

    scope.put<{ Body: Static<typeof DrainBody> }>(
      '/control/drain',
      { schema: { body: DrainBody } },
      async (request, reply) => {
        const { draining, instance = instanceName(deps.config.ops), evenLast = false } = request.body
        const actor = operatorOf(request)
        if (!draining) await controls.endDrain(actor, instance)
        else if (!(await controls.drain(actor, instance, { evenLast }))) return await isLast(reply, instance)
        return await controlView(deps, controls)
      },
    )
  })
}

/** All control settings, with the queues and instances that they apply to. */
async function controlView(deps: OpsDeps, controls: Controls) {
  const { redis, queues, clock, config } = deps
  const [state, paused, stats, processes, log] = await Promise.all([
    controls.read(),
    controls.pausedLanes(),
    statsOfQueues(queues.byLane, redis, clock.now()),
    readProcesses(redis, clock.now()),
    controls.log(20),
  ])
  const lanes = LANES.map((lane) => {
    const concurrency = state.concurrency[lane] ?? null
    return [lane, { paused: paused.includes(lane), concurrency, ...stats[lane] }] as const
  })
  return {
    readOnly: config.ops.readOnly,
    instance: instanceName(config.ops),
    admission: { open: state.admission === null, ...state.admission },
    lanes: Object.fromEntries(lanes),
    drains: state.drains,
    processes,
    log: log.map(changeInWords),
  }
}

async function missing(reply: FastifyReply, what: string): Promise<FastifyReply> {
  return await reply.code(400).send({ code: 'BAD_REQUEST', error: what })
}

async function isLast(reply: FastifyReply, instance: string): Promise<FastifyReply> {
  const error = `${instance} is the last instance that accepts new uploads: nothing was changed. "evenLast": true drains it all the same.`
  return await reply.code(409).send({ code: 'LAST_INSTANCE', error })
}
