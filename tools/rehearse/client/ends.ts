// Errors that end an attempt of a lean upload early.

import type { Response } from '../../conformance/wire/message.ts'
import { problemCode } from '../../lib/problem.ts'

/** The service refused; the status decides whether to retry. */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(method: string, { status, body }: Response) {
    const code = problemCode(body.toString('utf8')) ?? `HTTP_${status}`
    super(`${method} answered ${status} ${code}`)
    this.status = status
    this.code = code
  }
}

/** The planned break of a connection, and the time that the client is away after it. */
export class Away extends Error {
  readonly ms: number
  constructor(ms: number) {
    super('away')
    this.ms = ms
  }
}
