// Authentication of probes: programs of the operator on other hosts, which may file what they saw from there and nothing else.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { CredentialGuard } from '../audit/credential-guard.ts'
import type { ApiKey } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { bearerOf } from './authenticate.ts'

const CHALLENGE = { 'www-authenticate': 'Bearer realm="songngan"' }

export class ProbeAuth {
  readonly #keys: readonly { name: string; hash: Buffer }[]
  readonly #guard: Pick<CredentialGuard, 'check'>
  readonly #names = new WeakMap<FastifyRequest, string>()

  constructor({ keys, credentialGuard }: { keys: readonly ApiKey[]; credentialGuard: Pick<CredentialGuard, 'check'> }) {
    this.#keys = keys.map(({ name, secret }) => ({ name, hash: sha256(`${name}:${secret}`) }))
    this.#guard = credentialGuard
  }

  /** `onRequest` hook. Throws API_KEY_INVALID, TOO_MANY_WRONG_CREDENTIALS. */
  readonly require = async (request: FastifyRequest): Promise<void> => {
    const name = await this.#nameOf(bearerOf(request), request.ip)
    if (name === undefined) throw new AppError('API_KEY_INVALID', { headers: CHALLENGE })
    this.#names.set(request, name)
  }

  /** Name of the probe that the hook let in. */
  nameOf(request: FastifyRequest): string {
    const name = this.#names.get(request)
    if (name === undefined) throw new Error('the route has no authentication hook')
    return name
  }

  async #nameOf(token: string | undefined, from: string): Promise<string | undefined> {
    if (token === undefined) return undefined
    const given = sha256(token)
    let found: string | undefined
    // Every key is compared in constant time, so that the response time reveals nothing.
    for (const { name, hash } of this.#keys) if (timingSafeEqual(hash, given)) found ??= name
    const [named = ''] = token.split(':', 1)
    const account = this.#keys.find(({ name }) => name === named)?.name
    const isLetIn = await this.#guard.check({
      event: 'api_key.login',
      isRight: found !== undefined,
      actor: { by: found === undefined ? 'unknown' : `probe ${found}`, from },
      account: account === undefined ? null : `probe ${account}`,
      ...(found === undefined ? {} : { caller: `${from} probe ${found} ${given.toString('hex')}` }),
    })
    return isLetIn ? found : undefined
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
