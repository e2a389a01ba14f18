// The public base URL: configured, or taken from the request.

import type { FastifyRequest } from 'fastify'
import type { Config } from '../core/config.ts'
import { badRequest } from './errors.ts'

/** A name or an address, with or without port. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/

/** For an `onRequest` hook: refuses an invalid or repeated Host (RFC 9112, 3.2). */
export function checkHost({ raw }: FastifyRequest): void {
  const { host } = raw.headers
  const hosts = raw.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length
  if (hosts < 2 && (host === undefined || host === '' || HOST.test(host))) return
  throw badRequest({ in: 'header', path: '/host', message: 'is not one host' })
}

/** Without trailing slash. Forwarding headers count only from trusted proxies. */
export function publicUrl({ http }: Pick<Config, 'http'>, { raw }: FastifyRequest): string {
  if (http.publicUrl !== undefined) return http.publicUrl
  const { trustProxy } = http
  const isTrusted = typeof trustProxy === 'boolean' ? trustProxy : trustProxy(raw.socket.remoteAddress ?? '')
  const said = isTrusted ? forwarded(raw.headers) : {}
  const proto = said.proto?.toLowerCase()
  const host = said.host !== undefined && HOST.test(said.host) ? said.host : (raw.headers.host ?? '')
  return `${proto === 'https' ? 'https' : 'http'}://${host}`
}

/** The values of the first proxy: the first of a list. */
function forwarded(headers: FastifyRequest['raw']['headers']): { proto?: string; host?: string } {
  const first = (value: string | string[] | undefined) =>
    String(value ?? '')
      .split(',')[0]
      ?.trim()
  const pairs = (first(headers.forwarded) ?? '').split(';').map((pair) => pair.trim().split('='))
  const of = (name: string) => pairs.find(([key]) => key?.toLowerCase() === name)?.[1]?.replace(/^"(.*)"$/, '$1')
  const proto = first(headers['x-forwarded-proto']) || of('proto')
  const host = first(headers['x-forwarded-host']) || of('host')
  return { ...(proto === undefined ? {} : { proto }), ...(host === undefined ? {} : { host }) }
}
