// What every refusal has in common.

import { expect } from 'vitest'
import { ERRORS, type ErrorCode } from '../../../src/core/errors.ts'
import type { Answer } from '../../support/environment-calls.ts'

/** An RFC 9457 problem of this code, in both languages, with the catalogue's status unless another is given. */
export function expectProblem(
  answer: Answer,
  code: ErrorCode,
  options: { status?: number; details?: Record<string, unknown> } = {},
): void {
  const { th, en, status } = ERRORS[code]
  expect(answer.body).toMatchObject({
    code,
    status: options.status ?? status,
    title: en,
    message: { th, en },
    type: `urn:songngan:problem:${code}`,
    ...options.details,
  })
  expect(answer.status).toBe(options.status ?? status)
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  expect(answer.headers['x-request-id']).toEqual(expect.any(String))
  expect(th).toMatch(/[\u0E00-\u0E7F]/)
}
