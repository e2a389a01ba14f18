// How an attempt of a lean upload can end before its time.

import type { Response } from '../../conformance/wire/message.ts'
import { problemCode } from '../../lib/problem.ts'

/** The service said no; whether for good, the status tells. */
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

/** The planned end of a connection, with a while away after it. */
export class Away extends Error {
  readonly ms: number
  constructor(ms: number) {
    super('away')
    this.ms = ms
  }
}
