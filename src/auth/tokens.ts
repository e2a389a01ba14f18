// Tickets and sessions: JWTs of this service (HS256), and tickets that a portal signs itself (TICKET_JWKS_URL). A portal's
// key signs only for that portal, and only tickets.
// A ticket is for uploads to one slot, a session for one submission. The header's `typ` tells them
// apart, so that one cannot be used as the other (RFC 8725 section 3.11).

import { createSecretKey, type KeyObject } from 'node:crypto'
import { type CompactVerifyGetKey, compactVerify, decodeJwt, decodeProtectedHeader, errors, SignJWT } from 'jose'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { AppError, type ErrorCode } from '../core/errors.ts'
import { LruCache } from '../core/lru.ts'
import { PORTAL_ALGORITHMS, portalKeys } from './portal-jwks.ts'
import { type Permission, parseTokenClaims, type TokenClaims } from './token-claims.ts'

export type Ticket = {
  owner: string
  submission: string
  slot: string
  subject: string | null
  /** Id of the upload to replace. */
  replaces: string | null
  /** The ticket's own limit, below the slot's. */
  maxBytes: number | null
  /** Null if a portal's ticket has none. Ours are whole seconds, rounded down. */
  issuedAtMs: number | null
  expMs: number
}

export type Session = {
  owner: string
  submission: string
  subject: string | null
  can: readonly Permission[]
  expMs: number
}

const AUDIENCE = 'songngan'
const TICKET_TYP = 'ticket+jwt'
const SESSION_TYP = 'session+jwt'
const MAX_TOKEN_CHARS = 4096
const CACHED_TOKENS = 5000
/** Leeway for a portal's clock that is ahead. */
const NOT_BEFORE_LEEWAY_MS = 60_000

/** `owner` undefined: not signed by this service or a configured portal. */
type Verified = { claims: TokenClaims; typ: string | undefined; owner: string | undefined; ours: boolean }

export class Tokens {
  readonly #signing: KeyObject
  readonly #secrets: readonly KeyObject[]
  readonly #owners: ReadonlySet<string>
  /** By the portal's name. */
  readonly #portalKeys: ReadonlyMap<string, CompactVerifyGetKey>
  readonly #clock: Clock
  readonly #tickets = new LruCache<string, Ticket>(CACHED_TOKENS)
  readonly #sessions = new LruCache<string, Session>(CACHED_TOKENS)

  constructor({ config, clock }: { config: Pick<Config, 'secrets' | 'apiKeys' | 'tickets'>; clock: Clock }) {
    const keyOf = (secret: string) => createSecretKey(Buffer.from(secret, 'utf8'))
    this.#signing = keyOf(config.secrets[0])
    this.#secrets = config.secrets.map(keyOf)
    this.#owners = new Set(config.apiKeys.map(({ name }) => name))
    this.#portalKeys = new Map(
      config.tickets.keySets.flatMap(({ portal, url }) =>
        portal === undefined ? [] : [[portal, portalKeys(url)] as const],
      ),
    )
    this.#clock = clock
  }

  /** @param ticket its `expMs` is rounded up to a whole second; returned with the times of the token */
  async signTicket(ticket: Omit<Ticket, 'issuedAtMs'>): Promise<{ token: string; ticket: Ticket }> {
    const { owner, submission, slot, replaces, maxBytes } = ticket
    const signed = await this.#sign(TICKET_TYP, ticket, {
      owner,
      submission,
      slot,
      ...(replaces === null ? {} : { replaces }),
      ...(maxBytes === null ? {} : { maxBytes }),
    })
    return { token: signed.token, ticket: { ...ticket, issuedAtMs: signed.issuedAtMs, expMs: signed.expMs } }
  }

  async signSession(session: Session): Promise<{ token: string; session: Session }> {
    const { owner, submission, can } = session
    const { token, expMs } = await this.#sign(SESSION_TYP, session, { owner, submission, can: [...can] })
    return { token, session: { ...session, expMs } }
  }

  async #sign(
    typ: string,
    { subject, expMs }: { subject: string | null; expMs: number },
    claims: Record<string, unknown>,
  ): Promise<{ token: string; issuedAtMs: number; expMs: number }> {
    const issuedAt = Math.floor(this.#clock.now() / 1000)
    const expires = Math.ceil(expMs / 1000)
    const token = await new SignJWT({ ...claims, ...(subject === null ? {} : { sub: subject }) })
      .setProtectedHeader({ alg: 'HS256', typ })
      .setAudience(AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expires)
      .sign(this.#signing)
    return { token, issuedAtMs: issuedAt * 1000, expMs: expires * 1000 }
  }

  /**
   * Verifies a ticket. A verified signature is cached; the expiry is checked on every call.
   *
   * @param options.checkExpiry only for creations: a running upload outlives its ticket
   * @throws TICKET_INVALID, TICKET_EXPIRED, KEYS_UNAVAILABLE
   */
  async verifyTicket(token: string, options: { checkExpiry: boolean }): Promise<Ticket> {
    const ticket = this.#tickets.get(token) ?? (await this.#readTicket(token))
    if (options.checkExpiry && ticket.expMs <= this.#clock.now()) throw new AppError('TICKET_EXPIRED')
    return ticket
  }

  async #readTicket(token: string): Promise<Ticket> {
    const { claims, typ, owner } = await this.#verify(token, 'TICKET_INVALID')
    const { submission, slot } = claims
    // Portals need not set `typ`; sessions have no slot.
    if (typ === SESSION_TYP || owner === undefined || submission === undefined || slot === undefined)
      throw new AppError('TICKET_INVALID')
    const ticket: Ticket = {
      owner,
      submission,
      slot,
      subject: claims.sub ?? null,
      replaces: claims.replaces ?? null,
      maxBytes: claims.maxBytes ?? null,
      issuedAtMs: claims.iat === undefined ? null : claims.iat * 1000,
      expMs: claims.exp * 1000,
    }
    this.#tickets.set(token, ticket)
    return ticket
  }

  /** Verifies a session. Throws SESSION_INVALID, also if expired. */
  async verifySession(token: string): Promise<Session> {
    const session = this.#sessions.get(token) ?? (await this.#readSession(token))
    if (session.expMs <= this.#clock.now()) throw new AppError('SESSION_INVALID')
    return session
  }

  async #readSession(token: string): Promise<Session> {
    const { claims, typ, owner, ours } = await this.#verify(token, 'SESSION_INVALID')
    const { submission, can } = claims
    if (!ours || typ !== SESSION_TYP || owner === undefined || submission === undefined || can === undefined)
      throw new AppError('SESSION_INVALID')
    const session = { owner, submission, subject: claims.sub ?? null, can, expMs: claims.exp * 1000 }
    this.#sessions.set(token, session)
    return session
  }

  /**
   * The portal that must have signed a token, by `iss`. If only one portal has a key set, its
   * `iss` may be anything except another portal's name.
   */
  #signerOf(token: string): string | undefined {
    const { iss } = decodeJwt(token)
    if (iss !== undefined && this.#portalKeys.has(iss)) return iss
    const [only] = this.#portalKeys.keys()
    return this.#portalKeys.size === 1 && !this.#owners.has(iss ?? '') ? only : undefined
  }

  async #verify(token: string, invalid: ErrorCode): Promise<Verified> {
    if (token.length > MAX_TOKEN_CHARS) throw new AppError(invalid)
    try {
      const { alg, typ } = decodeProtectedHeader(token)
      const ours = alg === 'HS256'
      const portal = ours ? undefined : this.#signerOf(token)
      const payload = ours ? await this.#ofOurs(token) : await this.#ofPortal(token, portal)
      const claims = payload === undefined ? undefined : parseTokenClaims(payload, AUDIENCE)
      if (claims === undefined) throw new AppError(invalid)
      // Tokens of a portal that is no longer configured are invalid.
      const owner = portal ?? (this.#owners.has(claims.owner ?? '') ? claims.owner : undefined)
      if (portal !== undefined && (claims.owner ?? portal) !== portal) throw new AppError(invalid)
      const notBeforeMs = (claims.nbf ?? 0) * 1000 - NOT_BEFORE_LEEWAY_MS
      if (notBeforeMs > this.#clock.now()) throw new AppError(invalid)
      return { claims, typ, owner, ours }
    } catch (error) {
      if (error instanceof AppError) throw error
      throw new AppError(invalid, { cause: error })
    }
  }

  async #ofOurs(token: string): Promise<Uint8Array | undefined> {
    for (const secret of this.#secrets) {
      try {
        return (await compactVerify(token, secret, { algorithms: ['HS256'] })).payload
      } catch (error) {
        // Perhaps signed with an older secret: try the next one.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      }
    }
    return undefined
  }

  async #ofPortal(token: string, portal: string | undefined): Promise<Uint8Array | undefined> {
    const keys = portal === undefined ? undefined : this.#portalKeys.get(portal)
    if (keys === undefined) return undefined
    const options = { algorithms: PORTAL_ALGORITHMS }
    try {
      return (await compactVerify(token, keys, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      // No `kid` and several matching keys: try each.
      for await (const key of error) {
        try {
          return (await compactVerify(token, key, options)).payload
        } catch (failure) {
          // Not signed by this key: try the next one.
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
        }
      }
      return undefined
    }
  }
}
