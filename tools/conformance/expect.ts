// Expectations about one exchange. Each throws a Deviation with the request, the requirement of the sentence, and the
// result.
import type { Exchange } from './exchange.ts'
import { Deviation } from './model.ts'
import { field, fieldValues, type Response } from './wire/message.ts'

/** The response, where any is required. */
export function answered(x: Exchange, expected = 'an answer'): Response {
  if (!x.response) throw new Deviation(expected, x.got, x.request)
  return x.response
}

export function expectStatus(x: Exchange, ...statuses: readonly number[]): Response {
  const expected = statuses.join(' or ')
  const response = answered(x, expected)
  if (!statuses.includes(response.status)) throw new Deviation(expected, x.got, x.request)
  return response
}

export function succeeded(x: Exchange): boolean {
  return x.response !== undefined && x.response.status >= 200 && x.response.status < 300
}

/** Any 4xx or 5xx, where the text asks that a request is not carried out but names no status. */
export function expectRefused(x: Exchange, why = 'a refusal'): Response {
  const response = answered(x, why)
  if (response.status < 400) throw new Deviation(why, x.got, x.request)
  return response
}

/** A client error (4xx), not a server error. */
export function expectClientError(x: Exchange): Response {
  const response = answered(x, 'a refusal (4xx)')
  if (response.status < 400 || response.status > 499) throw new Deviation('a refusal (4xx)', x.got, x.request)
  return response
}

/** Neither silence nor a server error. */
export function expectNoServerError(x: Exchange): Response {
  const response = answered(x, 'an answer below 500')
  if (response.status >= 500) throw new Deviation('an answer below 500', x.got, x.request)
  return response
}

export function expectHeader(x: Exchange, name: string, value: string): void {
  const got = field(answered(x), name)
  if (got !== value) throw new Deviation(`${name}: ${value}`, `${name}: ${got ?? '(absent)'}; ${x.got}`, x.request)
}

export function expectPresent(x: Exchange, name: string): string {
  const got = field(answered(x), name)
  if (got === undefined) throw new Deviation(`header ${name}`, `no ${name}; ${x.got}`, x.request)
  return got
}

export function expectAbsent(x: Exchange, name: string): void {
  const got = field(answered(x), name)
  if (got !== undefined) throw new Deviation(`no header ${name}`, `${name}: ${got}; ${x.got}`, x.request)
}

/** The header once, as decimal digits; returns it as a bigint because offsets may exceed 2^53. */
export function expectWholeNumber(x: Exchange, name: string): bigint {
  const values = fieldValues(answered(x), name)
  const [value] = values
  if (values.length !== 1 || value === undefined || !/^\d+$/.test(value)) {
    const got = values.length === 0 ? `no ${name}` : `${name}: ${values.join(' | ')}`
    throw new Deviation(`${name} as one non-negative integer`, `${got}; ${x.got}`, x.request)
  }
  return BigInt(value)
}

export function expectOffset(x: Exchange, offset: number | bigint): void {
  const got = expectWholeNumber(x, 'Upload-Offset')
  if (got !== BigInt(offset)) throw new Deviation(`Upload-Offset: ${offset}`, `Upload-Offset: ${got}`, x.request)
}

/** Any other condition, in words. */
export function expectThat(ok: boolean, expected: string, got: string, x?: Exchange): void {
  if (!ok) throw new Deviation(expected, got, x?.request)
}
