// A Fastify for tests of single routes.

import Fastify, { type FastifyInstance } from 'fastify'
import { useHttpErrors } from '../../src/http/errors.ts'

/** With the service's rendering of errors. */
export function appWithProblems(): FastifyInstance {
  const app = Fastify({ exposeHeadRoutes: false })
  useHttpErrors(app)
  return app
}

/** Starts listening on a free port and gives the origin. */
export async function listen(app: FastifyInstance): Promise<string> {
  return await app.listen({ host: '127.0.0.1', port: 0 })
}
