// Authentication: a portal by its API key, or a browser page by the session of one submission.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import type { CredentialGuard } from '../audit/credential-guard.ts'
import type { Config } from '../core/config.ts'
import { AppError, type ErrorCode, hasCode } from '../core/errors.ts'
import { isSubmissionId } from '../core/ids.ts'
import { sessionIssued } from './issued.ts'
import type { Revocations } from './revocations.ts'
import type { Permission } from './token-claims.ts'
import type { Session, Tokens } from './tokens.ts'

export type Caller =
  | { kind: 'portal'; owner: string }
  | {
      kind: 'session'
      owner: string
      /** The submission of the session. */
      submissionId: string
      subject: string | null
      can: readonly Permission[]
      /** What it creates ends with it. */
      session: Session
    }

/** Runs before the body is read: bodies of unknown callers are not read. */
export type AuthHook = (request: FastifyRequest) => Promise<void>

const CHALLENGE = { 'www-authenticate': 'Bearer realm="songngan"' }

export class Auth {
  readonly #keys: readonly { owner: string; hash: Buffer }[]
  readonly #tokens: Tokens
  readonly #credentialGuard: CredentialGuard
  readonly #revocations: Pick<Revocations, 'isRevoked'>
  readonly #callers = new WeakMap<FastifyRequest, Caller>()

  constructor(deps: {
    config: Pick<Config, 'apiKeys'>
    tokens: Tokens
    credentialGuard: CredentialGuard
    revocations: Pick<Revocations, 'isRevoked'>
  }) {
    const { config, tokens, credentialGuard, revocations } = deps
    // A caller may send the secret, or the whole `name:secret` as in API_KEYS.
    this.#keys = config.apiKeys.flatMap(({ name, secret }) => [
      { owner: name, hash: sha256(secret) },
      { owner: name, hash: sha256(`${name}:${secret}`) },
    ])
    this.#tokens = tokens
    this.#credentialGuard = credentialGuard
    this.#revocations = revocations
  }

  /** `onRequest` hook: only a portal, by its API key. Throws API_KEY_INVALID; SESSION_SCOPE for a session. */
  readonly requirePortal: AuthHook = async (request) => {
    const caller = await this.#identify(bearerOf(request), request.ip)
    if (caller.kind !== 'portal') throw new AppError('SESSION_SCOPE')
    this.#callers.set(request, caller)
  }

  /**
   * `onRequest` hook: a portal, or a session with this permission. Access to resources is checked by
   * `submissionOf` and `maySee`.
   *
   */
  requirePortalOrSession(can: Permission): AuthHook {
    const read = this.reader(can)
    return async (request) => void this.#callers.set(request, await read(request))
  }

  /**
   * The same as a function, for routes without the hook.
   *
   * @param options.queryToken also accepts a session in `?access_token=`, for EventSource, which cannot set headers
   */
  reader(can: Permission, options: { queryToken?: boolean } = {}): (request: FastifyRequest) => Promise<Caller> {
    return async (request) => {
      const bearer = bearerOf(request)
      const inQuery = options.queryToken === true && bearer === undefined ? queryTokenOf(request) : undefined
      const caller =
        inQuery === undefined ? await this.#identify(bearer, request.ip) : await this.#identifySession(inQuery)
      if (caller.kind === 'session' && !caller.can.includes(can)) throw new AppError('SESSION_SCOPE')
      return caller
    }
  }

  /** The authenticated caller, or undefined. */
  known(request: FastifyRequest): Caller | undefined {
    return this.#callers.get(request)
  }

  /** The caller authenticated by one of the hooks. */
  caller(request: FastifyRequest): Caller {
    const caller = this.#callers.get(request)
    if (caller === undefined) throw new Error('the route has no authentication hook')
    return caller
  }

  /** The caller of a token. Throws API_KEY_INVALID, SESSION_INVALID, SESSION_REVOKED or TOO_MANY_WRONG_CREDENTIALS. */
  async #identify(token: string | undefined, from: string): Promise<Caller> {
    if (token === undefined) throw unauthorized('API_KEY_INVALID')
    const owner = await this.#portalOf(token, from)
    if (owner !== undefined) return { kind: 'portal', owner }
    if (!looksLikeJwt(token)) throw unauthorized('API_KEY_INVALID')
    return await this.#identifySession(token)
  }

  async #identifySession(token: string): Promise<Caller> {
    try {
      const session = await this.#tokens.verifySession(token)
      if (await this.#revocations.isRevoked(sessionIssued(session))) throw new AppError('SESSION_REVOKED')
      const { owner, submission: submissionId, subject, can } = session
      return { kind: 'session', owner, submissionId, subject, can, session }
    } catch (error) {
      if (hasCode(error, 'SESSION_INVALID') || hasCode(error, 'SESSION_REVOKED')) throw unauthorized(error.code)
      throw error
    }
  }

  /** The portal of an API key; undefined if it is none. Sessions expire, so a wrong one is no guess and is not counted. */
  async #portalOf(token: string, from: string): Promise<string | undefined> {
    const given = sha256(token)
    let owner: string | undefined
    // Every key is compared in constant time, so that the response time reveals nothing.
    for (const key of this.#keys) if (timingSafeEqual(key.hash, given)) owner ??= key.owner
    if (owner === undefined && looksLikeJwt(token)) return undefined
    const [named = ''] = token.split(':', 1)
    const account = owner ?? this.#keys.find((key) => key.owner === named)?.owner
    const isLetIn = await this.#credentialGuard.check({
      event: 'api_key.login',
      isRight: owner !== undefined,
      actor: { by: owner === undefined ? 'unknown' : `portal ${owner}`, from },
      account: account === undefined ? null : `portal ${account}`,
      // Portals are servers with addresses of their own. With another key it is another caller.
      ...(owner === undefined ? {} : { caller: `${from} ${owner} ${given.toString('hex')}` }),
    })
    return isLetIn ? owner : undefined
  }
}

/** Owner and id of the submission of a route's `:id`. For a session other submissions do not exist. */
export function submissionOf(caller: Caller, id: string): { owner: string; id: string } {
  if (!isSubmissionId(id)) throw new AppError('ID_INVALID')
  if (caller.kind === 'session' && caller.submissionId !== id) throw new AppError('SUBMISSION_UNKNOWN')
  return { owner: caller.owner, id }
}

/** Whether the caller may see an upload; if not, the answer is 404, not 403. */
export function maySee(caller: Caller, upload: { owner: string; submissionId: string | null }): boolean {
  if (upload.owner !== caller.owner) return false
  return caller.kind === 'portal' || upload.submissionId === caller.submissionId
}

/** The token of `Authorization: Bearer …` (RFC 6750; the scheme's letter case does not matter). */
export function bearerOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /^Bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1]
}

/** `?access_token=`: only of event streams and for sessions, since addresses are written into logs and histories. */
function queryTokenOf(request: FastifyRequest): string | undefined {
  const { access_token: token } = request.query as { access_token?: unknown }
  return typeof token === 'string' && token !== '' ? token : undefined
}

/** Its first part is base64 of JSON: what looks otherwise is tried as an API key, and counted. */
function looksLikeJwt(token: string): boolean {
  return /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(token)
}

function unauthorized(code: ErrorCode): AppError {
  return new AppError(code, { headers: CHALLENGE })
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
