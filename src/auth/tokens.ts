// Tickets and sessions: JWTs of this service (HS256, each with a derived key of its own), and tickets that a portal signs itself (TICKET_JWKS_URL). A portal's
// key signs only for that portal, and only tickets.
// A ticket is for uploads to one slot, a session for one submission. The header's `typ` tells them
// apart, so that one cannot be used as the other (RFC 8725 section 3.11).

import { createSecretKey, type KeyObject } from 'node:crypto'
import { type CompactVerifyGetKey, compactVerify, decodeJwt, decodeProtectedHeader, errors, SignJWT } from 'jose'
import type { Clock } from '../core/clock.ts'
import type { Config } from '../core/config.ts'
import { deriveKey, type KeyDerivation, type KeyPurpose, type Secrets } from '../core/derive-key.ts'
import { AppError, type ErrorCode } from '../core/errors.ts'
import { newToken } from '../core/ids.ts'
import { LruCache } from '../core/lru.ts'
import { readTraceparent, traceIn } from '../core/trace-context.ts'
import { PORTAL_ALGORITHMS, portalKeys } from './portal-jwks.ts'
import { ownClaims, type Permission, parseTokenClaims, type TokenClaims } from './token-claims.ts'

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
  /** Id of the session that asked for it, which it ends with; null: the portal asked. */
  session: string | null
  /** How many revocations the submission had when it, or its session, was issued; null: its issuer did not know. */
  revocations: number | null
  /** W3C traceparent of the request for it. */
  trace?: string
}

export type Session = {
  /** Null: issued by a version before sessions had ids. */
  id: string | null
  owner: string
  submission: string
  subject: string | null
  can: readonly Permission[]
  /** Whole seconds, rounded down; null: unknown. */
  issuedAtMs: number | null
  expMs: number
  /** How many revocations the submission had when it was issued; null as `id`. */
  revocations: number | null
}

/** A purpose's keys: the first one signs. */
type Keys = {
  derived: readonly KeyObject[]
  /** Of tokens from versions before keys were derived: the secrets themselves. */
  earlier: readonly KeyObject[]
}

const AUDIENCE = 'songngan'
type TokenKind = 'ticket' | 'session'
const TYP = { ticket: 'ticket+jwt', session: 'session+jwt' } as const satisfies Record<TokenKind, string>
const INVALID = { ticket: 'TICKET_INVALID', session: 'SESSION_INVALID' } as const satisfies Record<TokenKind, ErrorCode>
const MAX_TOKEN_CHARS = 4096
const CACHED_TOKENS = 5000
/** Leeway for a portal's clock that is ahead. */
const NOT_BEFORE_LEEWAY_MS = 60_000

/** `owner` undefined: not signed by this service or a configured portal. */
type Verified = { claims: TokenClaims; typ: string | undefined; owner: string | undefined; ours: boolean }

export class Tokens {
  readonly #keys: Readonly<Record<TokenKind, Keys>>
  readonly #derivation: KeyDerivation
  readonly #owners: ReadonlySet<string>
  /** By the portal's name. */
  readonly #portalKeys: ReadonlyMap<string, CompactVerifyGetKey>
  readonly #clock: Clock
  readonly #tickets = new LruCache<string, Ticket>(CACHED_TOKENS)
  readonly #sessions = new LruCache<string, Session>(CACHED_TOKENS)

  /** @param deps.derivation absent: keys are derived */
  constructor(deps: {
    config: Pick<Config, 'secrets' | 'apiKeys' | 'tickets'>
    clock: Clock
    derivation?: KeyDerivation
  }) {
    const { config, clock, derivation = { active: true } } = deps
    this.#keys = {
      ticket: keysOf(config.secrets.ticket, 'songngan ticket, version 1'),
      session: keysOf(config.secrets.session, 'songngan session, version 1'),
    }
    this.#derivation = derivation
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
    const { owner, submission, slot, replaces, maxBytes, session, revocations, trace } = ticket
    const signed = await this.#sign('ticket', ticket, {
      owner,
      submission,
      slot,
      ...(replaces === null ? {} : { replaces }),
      ...(maxBytes === null ? {} : { maxBytes }),
      ...(session === null ? {} : { sid: session }),
      ...(revocations === null ? {} : { rev: revocations }),
      ...(trace === undefined ? {} : { traceparent: trace }),
    })
    return { token: signed.token, ticket: { ...ticket, issuedAtMs: signed.issuedAtMs, expMs: signed.expMs } }
  }

  /** @param session gets a new id */
  async signSession(
    session: Omit<Session, 'id' | 'issuedAtMs' | 'revocations'> & { revocations: number },
  ): Promise<{ token: string; session: Session & { id: string } }> {
    const { owner, submission, can, revocations } = session
    const id = newToken()
    const claims = { owner, submission, can: [...can], sid: id, rev: revocations }
    const { token, issuedAtMs, expMs } = await this.#sign('session', session, claims)
    return { token, session: { ...session, id, issuedAtMs, expMs } }
  }

  async #sign(
    kind: TokenKind,
    { subject, expMs }: { subject: string | null; expMs: number },
    claims: Record<string, unknown>,
  ): Promise<{ token: string; issuedAtMs: number; expMs: number }> {
    const issuedAt = Math.floor(this.#clock.now() / 1000)
    const expires = Math.ceil(expMs / 1000)
    const token = await new SignJWT({ ...claims, ...(subject === null ? {} : { sub: subject }) })
      .setProtectedHeader({ alg: 'HS256', typ: TYP[kind] })
      .setAudience(AUDIENCE)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expires)
      .sign(this.#signingKey(kind))
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
    const { claims, typ, owner, ours } = await this.#verify(token, 'ticket')
    const { submission, slot } = claims
    // Portals need not set `typ`; sessions have no slot.
    if (typ === TYP.session || owner === undefined || submission === undefined || slot === undefined)
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
      // A portal cannot know them.
      ...(ours ? ownClaims(claims) : { session: null, revocations: null }),
      ...traceIn(readTraceparent(claims.traceparent)),
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
    const { claims, typ, owner, ours } = await this.#verify(token, 'session')
    const { submission, can } = claims
    if (!ours || typ !== TYP.session || owner === undefined || submission === undefined || can === undefined)
      throw new AppError('SESSION_INVALID')
    const { session: id, revocations } = ownClaims(claims)
    const session: Session = {
      id,
      owner,
      submission,
      subject: claims.sub ?? null,
      can,
      issuedAtMs: claims.iat === undefined ? null : claims.iat * 1000,
      expMs: claims.exp * 1000,
      revocations,
    }
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

  #signingKey(kind: TokenKind): KeyObject {
    const { derived, earlier } = this.#keys[kind]
    const key = (this.#derivation.active ? derived : earlier)[0]
    if (key === undefined) throw new Error(`no secret for a ${kind}`)
    return key
  }

  async #verify(token: string, kind: TokenKind): Promise<Verified> {
    const invalid = INVALID[kind]
    if (token.length > MAX_TOKEN_CHARS) throw new AppError(invalid)
    try {
      const { alg, typ } = decodeProtectedHeader(token)
      const ours = alg === 'HS256'
      const portal = ours ? undefined : this.#signerOf(token)
      const payload = ours ? await this.#ofOurs(token, kind) : await this.#ofPortal(token, portal)
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

  async #ofOurs(token: string, kind: TokenKind): Promise<Uint8Array | undefined> {
    const { derived, earlier } = this.#keys[kind]
    for (const key of [...derived, ...earlier]) {
      try {
        return (await compactVerify(token, key, { algorithms: ['HS256'] })).payload
      } catch (error) {
        // Perhaps signed with an older key: try the next one.
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

function keysOf(secrets: Secrets, purpose: KeyPurpose): Keys {
  return {
    derived: secrets.map((secret) => createSecretKey(deriveKey(secret, purpose))),
    earlier: secrets.map((secret) => createSecretKey(Buffer.from(secret, 'utf8'))),
  }
}
