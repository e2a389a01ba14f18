// What every refusal has in common, and requests whose paths reach the service as they are written.

import { request } from 'node:http'
import { expect } from 'vitest'
import type { FileProblem } from '../../../src/records/upload-record.ts'
import type { Problem, Reply } from '../../support/tus.ts'

const THAI = /[\u0e00-\u0e7f]/
const ENGLISH = /[a-z]/

/** Asserts a refusal whose body is a problem document in both languages, and returns that. */
export function expectRefused(reply: Pick<Reply, 'status' | 'text' | 'problem'>, status: number, code: string) {
  expect({ status: reply.status, code: reply.problem?.code }, reply.text).toEqual({ status, code })
  const { problem } = reply
  if (problem === undefined) throw new Error('no problem document')
  expect(problem.status).toBe(status)
  expectBothLanguages(problem)
  return problem
}

export function expectBothLanguages({ message }: Pick<Problem | FileProblem, 'message'>): void {
  expect(message.th).toMatch(THAI)
  expect(message.en).toMatch(ENGLISH)
  expect(message.en).not.toMatch(THAI)
}

/** `fetch` and URL would resolve `..` and `%2e%2e` before anything is sent. */
export function sendRaw(
  origin: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body = '',
): Promise<Pick<Reply, 'status' | 'text' | 'problem'>> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sending = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const isProblem = response.headers['content-type']?.includes('problem+json') === true && text !== ''
        resolve({
          status: response.statusCode ?? 0,
          text,
          problem: isProblem ? (JSON.parse(text) as Problem) : undefined,
        })
      })
    })
    sending.on('error', reject)
    sending.end(body)
  })
}

/** A token whose signature is another's. */
export function forged(token: string): string {
  const [head = '', payload = '', signature = ''] = token.split('.')
  return [head, payload, [...signature].toReversed().join('')].join('.')
}
