// What every refusal has in common: the code, the status on the line and in the body, and words in both languages.

import { expect } from 'vitest'
import type { Problem, Reply } from '../../support/tus.ts'

/** Asserts a refusal with a body and returns its problem document. */
export function expectProblem(reply: Reply, status: number, code: string): Problem {
  expect({ status: reply.status, code: reply.problem?.code }, reply.text).toEqual({ status, code })
  const { problem } = reply
  if (problem === undefined) throw new Error('no problem document')
  expect(problem.status).toBe(status)
  expect(problem.message.th).toMatch(/[\u0e00-\u0e7f]/)
  expect(problem.message.en).toMatch(/[a-z]/)
  expect(reply.headers['cache-control']).toBe('no-store')
  expect(reply.headers['tus-resumable']).toBe('1.0.0')
  return problem
}
