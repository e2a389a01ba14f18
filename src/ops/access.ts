// Access control of the operations pages: one user name and password for all of
// them. Changes are accepted only from these pages, or from a program that sends the password.

import { createHash, timingSafeEqual } from 'node:crypto'
import { fastifyBasicAuth } from '@fastify/basic-auth'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Actor } from '../audit/security-events.ts'
import { LruCache } from '../core/lru.ts'
import type { OpsDeps } from './ops-deps.ts'

const MAX_SIGNED_IN = 1000
const PAUSE_MS = 15 * 60_000
const WRONG = 'wrong name or password of an operator'

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
  const signedIn = new LruCache<string, number>(MAX_SIGNED_IN)
  await app.register(async (scope) => {
    await scope.register(fastifyBasicAuth, {
      authenticate: { realm: 'songngan' },
      validate: async (givenUser, givenPassword, request) => {
        // Both are always compared, so that the time reveals nothing.
        const rightUser = sameText(givenUser, user)
        const isRight = sameText(givenPassword, password) && rightUser
        await noteLogin(deps, signedIn, { isRight, rightUser, from: request.ip })
        if (!isRight) throw unauthorized()
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

/** A browser sends the password with every request: a login is the first one after a pause. */
async function noteLogin(
  { config, clock, securityLog }: OpsDeps,
  signedIn: LruCache<string, number>,
  { isRight, rightUser, from }: { isRight: boolean; rightUser: boolean; from: string },
): Promise<void> {
  const { user } = config.ops
  // A wrong name is not written down: people type passwords in its place.
  const actor = { by: rightUser ? `operator ${user}` : 'unknown', from }
  if (!isRight)
    return await securityLog.record({ event: 'operator.login', result: 'refused', actor, on: null, what: WRONG })
  const lastMs = signedIn.get(from) ?? Number.NEGATIVE_INFINITY
  signedIn.set(from, clock.now())
  if (clock.now() - lastMs > PAUSE_MS)
    await securityLog.record({ event: 'operator.login', actor, on: null, what: `operator ${user} signed in` })
}

/** The operator of an authenticated request. */
export function operatorOf(request: FastifyRequest): Actor {
  const encoded = /^Basic\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
  const name = Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]
  return { by: `operator ${name}`, from: request.ip }
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
