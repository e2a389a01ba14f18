// Consent to load tests: a route that only a service with LOAD_TEST_SECRET has, and that answers only tools with the same
// secret. Everybody else gets the answer of a route that does not exist.

import type { FastifyInstance } from 'fastify'
import type { Config } from '../core/config.ts'
import { CONSENT_PATH, consentTo, nonceOfTool } from '../core/load-test-consent.ts'
import type { Logger } from '../core/logger.ts'
import { publicUrl } from '../http/public-url.ts'

export type LoadTestApiDeps = { config: Pick<Config, 'http' | 'loadTest'>; logger: Logger }

/** Registers `GET /v1/load-test`, or nothing. For all methods: 405 to the others would tell that the route exists. */
export function loadTestApi(app: FastifyInstance, { config, logger }: LoadTestApiDeps): void {
  const { secret, limits } = config.loadTest
  if (secret === undefined) return
  logger.warn({ limits }, 'load tests are allowed here (LOAD_TEST_SECRET)')
  app.all(CONSENT_PATH, { schema: { hide: true } }, async (request, reply) => {
    const nonce = nonceOfTool(secret, request.headers.authorization, CONSENT_PATH)
    if (nonce === undefined) return reply.callNotFound()
    logger.info({ from: request.ip, limits }, 'a load test asked for consent')
    return await reply.send(consentTo(secret, nonce, new URL(publicUrl(config, request)).origin, limits))
  })
}
