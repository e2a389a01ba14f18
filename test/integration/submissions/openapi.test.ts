// The description that is generated from the routes: every call is there, told, and with its refusals.

import swagger from '@fastify/swagger'
import Fastify from 'fastify'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { portalApi } from '../../../src/api/routes.ts'
import { EVENT_TYPES } from '../../../src/events/event-types.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'

type Operation = {
  tags?: string[]
  summary?: string
  responses: Record<string, { description: string; content?: Record<string, unknown> }>
}

/** For anybody who holds a receipt. */
const OPEN = new Set(['/v1/status', '/v1/receipts/keys', '/v1/receipts/verify'])

let h: StillEnvironment
let paths: Record<string, Record<string, Operation>>
beforeAll(async () => {
  h = await openStillEnvironment()
  const app = Fastify()
  await app.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'Songngan', version: '1' } } })
  await portalApi(app, h.deps)
  await app.ready()
  paths = app.swagger().paths as unknown as typeof paths
  await app.close()
})
afterAll(async () => await h.close())

it('names every call', () => {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'head')
      .map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(calls.sort()).toEqual(
    [
      'DELETE /v1/submissions/{id}',
      'DELETE /v1/submissions/{id}/close',
      'DELETE /v1/submissions/{id}/seal',
      'DELETE /v1/submissions/{id}/sessions',
      'DELETE /v1/submissions/{id}/sessions/{sid}',
      'DELETE /v1/uploads/{id}',
      'GET /v1/profiles',
      'GET /v1/profiles/{id}',
      'GET /v1/receipts/keys',
      'GET /v1/status',
      'POST /v1/outages',
      'POST /v1/submissions/{id}/attempts',
      'GET /v1/submissions',
      'GET /v1/submissions/{id}/attempts',
      'GET /v1/submissions/{id}',
      'GET /v1/submissions/{id}/receipt',
      'GET /v1/submissions/{id}/review',
      'GET /v1/submissions/{id}/uploads',
      'GET /v1/uploads/{id}',
      'GET /v1/uploads/{id}/receipt',
      'POST /v1/receipts/verify',
      'PATCH /v1/submissions/{id}/slots/{slot}',
      'POST /v1/submissions/{id}/close',
      'POST /v1/submissions/{id}/receipt/links',
      'POST /v1/submissions/{id}/return',
      'POST /v1/submissions/{id}/seal',
      'POST /v1/submissions/{id}/sessions',
      'POST /v1/submissions/{id}/tickets',
      'PUT /v1/submissions/{id}',
    ].sort(),
  )
})

it('describes each call and its errors', () => {
  for (const [path, methods] of Object.entries(paths))
    for (const [method, { tags, summary, responses }] of Object.entries(methods)) {
      expect(tags, `${method} ${path}`).toHaveLength(1)
      expect(summary, `${method} ${path}`).toEqual(expect.any(String))
      if (OPEN.has(path)) expect(responses['401'], path).toBeUndefined()
      else expect(responses['401']?.description, `${method} ${path}`).toContain('`API_KEY_INVALID`')
      for (const [status, { content }] of Object.entries(responses))
        if (Number(status) >= 400) expect(Object.keys(content ?? {})).toEqual(['application/problem+json'])
    }
  const ticket = paths['/v1/submissions/{id}/tickets']?.['post']?.responses
  expect(Object.keys(ticket ?? {})).toEqual(
    expect.arrayContaining(['201', '400', '401', '403', '404', '409', '410', '500', '503']),
  )
  expect(ticket?.['403']?.description).toMatch(/`NOT_OPEN_YET`.*`DEADLINE_PASSED`/s)
})

it('describes every webhook, with what it tells', async () => {
  const { webhooks } = (await h.call('GET', '/openapi.json')).body as unknown as {
    webhooks: Record<
      string,
      { post: { summary: string; requestBody: { content: Record<string, { schema: Schema }> } } }
    >
  }
  type Schema = { properties: { data: { properties: object; required: string[] } } }
  const dataOf = (type: string) => webhooks[type]?.post.requestBody.content['application/json']?.schema.properties.data
  expect(Object.keys(webhooks)).toEqual(Object.keys(EVENT_TYPES))
  expect(Object.keys(dataOf('submission.due')?.properties ?? {})).toEqual(
    expect.arrayContaining(['sequence', 'hours', 'deadline', 'complete', 'missing', 'pending', 'sealAtDeadline']),
  )
  expect(dataOf('submission.lapsed')?.required).toEqual(expect.arrayContaining(['sequence', 'missing']))
  expect(Object.keys(dataOf('submission.sealed')?.properties ?? {})).toContain('by')
})
