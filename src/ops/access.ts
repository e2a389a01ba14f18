// Access control of the operations pages: one user name and password for all of
// them. Changes are accepted only from these pages, or from a program that sends the password.

import { createHash, timingSafeEqual } from 'node:crypto'
import { fastifyBasicAuth } from '@fastify/basic-auth'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { OpsDeps } from './ops-deps.ts'

/** Registers routes behind the password; without OPS_PASSWORD a page that explains how to switch them on. */
export async function guarded(
  app: FastifyInstance,
  deps: OpsDeps,
  options: { paths: readonly string[]; what: string },
  routes: (scope: FastifyInstance) => Promise<void> | void,
): Promise<void> {
  const { user, password } = deps.config.ops
  if (password === undefined) {
    const words = `${options.what} is off. Set OPS_PASSWORD (the user name is OPS_USER, now "${user}") and start again.\n`
    for (const url of options.paths)
      app.all(url, (_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send(words))
    return
  }
  await app.register(async (scope) => {
    await scope.register(fastifyBasicAuth, {
      authenticate: { realm: 'songngan' },
      validate: async (givenUser, givenPassword) => {
        // Both are always compared, so that the time reveals nothing.
        const rightUser = sameText(givenUser, user)
        if (!(sameText(givenPassword, password) && rightUser)) throw unauthorized()
      },
    })
    scope.addHook('onRequest', scope.basicAuth)
    scope.addHook('onRequest', async (request, reply) => {
      // A page of another origin must not use an operator's credentials (CSRF).
      if (isChange(request) && isForeign(request))
        return await reply.code(403).send({ error: 'Changes are accepted only from the pages of this listener.' })
      return undefined
    })
    await routes(scope)
  })
}

/** The operator of an authenticated request: user name and address. */
export function operatorOf(request: FastifyRequest): string {
  const encoded = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const name = Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]
  return `${name} from ${request.ip}`
}

function isChange({ method }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD'
}

function isForeign({ headers }: FastifyRequest): boolean {
  const from = headers['sec-fetch-site']
  return from !== undefined && from !== 'same-origin'
}

function sameText(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(wanted))
}

function unauthorized(): Error {
  return Object.assign(new Error('Wrong user name or password'), { statusCode: 401 })
}
