// Access control of the operations pages: one user name and password for all of
// them. Changes are accepted only from these pages, or from a program that sends the password.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { fastifyBasicAuth } from '@fastify/basic-auth'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../audit/security-events.ts'
import { AppError } from '../core/errors.ts'
import type { OpsDeps } from './ops-deps.ts'
import { isForeign } from './own-names.ts'
import { sendRefusal } from './refusals.ts'

/** Browsers and programs send the password with every request: a login is the first one after a pause. */
const LOGIN_PAUSE_MS = 15 * 60_000
/** Names a browser that was in before, so that others' guessing does not lock it out. It opens nothing. */
const COOKIE = 'songngan-known'
const COOKIE_SECONDS = 30 * 86_400

/** Registers routes behind the password; without OPS_PASSWORD a page that explains how to switch them on. */
export async function guarded(
  app: FastifyInstance,
  deps: OpsDeps,
  options: { paths: readonly string[]; what: string },
  routes: (scope: FastifyInstance) => Promise<void> | void,
): Promise<void> {
  const { securityLog } = deps
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
      validate: async (givenUser, givenPassword, request, reply) => {
        // Both are always compared, so that the time reveals nothing.
        const rightUser = sameText(givenUser, user)
        const isRight = sameText(givenPassword, password) && rightUser
        if (!(await isLetIn(deps, { isRight, rightUser, password }, request, reply))) throw unauthorized()
      },
    })
    scope.addHook('onRequest', async (request, reply) => {
      try {
        await authenticate(scope, request, reply)
      } catch (error) {
        if (!(error instanceof AppError)) throw error
        // The same answer to right and wrong passwords.
        return await sendRefusal(reply, error)
      }
      return undefined
    })
    scope.addHook('onRequest', async (request, reply) => {
      // A page of another origin must not use an operator's credentials (CSRF).
      if (!isChange(request) || !isForeign(request)) return undefined
      const actor = operatorOf(request)
      await securityLog.record({ event: 'operator.forged_request', result: 'refused', actor, on: null })
      return await reply.code(403).send({ error: 'Changes are accepted only from the pages of this listener.' })
    })
    await routes(scope)
  })
}

function authenticate(scope: FastifyInstance, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => {
    scope.basicAuth(request, reply, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

/** Throws TOO_MANY_WRONG_CREDENTIALS. */
async function isLetIn(
  { config, credentialGuard, securityLog }: OpsDeps,
  given: { isRight: boolean; rightUser: boolean; password: string },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const { isRight, rightUser, password } = given
  const account = rightUser ? `operator ${config.ops.user}` : null
  // A wrong name is not written down: people type passwords in its place.
  const actor = { by: account ?? 'unknown', from: request.ip }
  // With another password the callers of before are strangers.
  const callerOf = (token: string) => `${token} ${createHash('sha256').update(password).digest('hex')}`
  const token = new RegExp(`(?:^|; )${COOKIE}=([\\w-]{22})`).exec(request.headers.cookie ?? '')?.[1]
  // Programs keep no cookies: they are known by their address. Who guesses from there is counted with them, or above the limit
  // the right password would be the one that is let in.
  const isBrowser = request.headers['sec-fetch-site'] !== undefined
  const known = token ?? (isBrowser ? undefined : request.ip)
  const caller = known === undefined ? {} : { caller: callerOf(known), isShared: token === undefined }
  if (!(await credentialGuard.check({ event: 'operator.login', isRight, actor, account, ...caller }))) return false
  if (token === undefined && isBrowser) {
    const made = randomBytes(16).toString('base64url')
    await credentialGuard.remember(callerOf(made))
    void reply.header('set-cookie', `${COOKIE}=${made}; Max-Age=${COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Strict`)
  }
  const what = `operator ${config.ops.user} signed in`
  await securityLog.recordAfterPause({ event: 'operator.login', actor, on: null, what }, LOGIN_PAUSE_MS)
  return true
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

function sameText(given: string, wanted: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(given), hash(wanted))
}

function unauthorized(): Error {
  return Object.assign(new Error('Wrong user name or password'), { statusCode: 401 })
}
