// The OpenAPI document that the service serves: every route is in it, with a name, its bodies and its refusals; and the
// committed one is the same.

import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../../src/app.ts'
import { ERRORS } from '../../../src/core/errors.ts'
import { EVENT_TYPES } from '../../../src/events/event-types.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { asFile, COMMITTED, inDocument, type OpenApi, type Operation, operationsOf } from '../../support/openapi.ts'

/** For anybody, or with another credential than those of the API. */
const NO_KEY = new Set(['getStatus', 'getReceiptKeys', 'verifyReceipt', 'getMedia', 'headMedia', 'getPrintView'])

/** Pages, their assets and what is about the document itself; and methods that only have `X-HTTP-Method-Override`, or 405. */
const NOT_OF_THE_API =
  /^(GET|HEAD) (\/|\/docs.*|\/openapi\.json|\/portal.*|\/verify.*|\/client.*)$|^(GET|HEAD|PATCH|DELETE|PUT) \/files$|^(PUT|POST) \/files\/\*$/

/** Refusals before a route is known, which no operation can list. */
const OF_NO_OPERATION = ['NOT_FOUND', 'EXPECTATION_UNSUPPORTED', 'HEADERS_TOO_LARGE']

let h: StillEnvironment
let document: OpenApi
let operations: (Operation & { path: string; method: string })[]
beforeAll(async () => {
  h = await openStillEnvironment()
  document = (await h.call('GET', '/openapi.json')).body as unknown as OpenApi
  operations = operationsOf(document.paths)
})
afterAll(async () => await h.close())

it('is the committed one', () => {
  expect(asFile(document) === readFileSync(COMMITTED, 'utf8'), 'run `npm run openapi`').toBe(true)
})

it('has every route of the service, and nothing that is none', async () => {
  const routes = new Set<string>()
  const app = await buildApp(h.deps, { onRoute: (method, url) => routes.add(`${method} ${url}`) })
  await app.close()
  const described = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`)
  const expected = [...routes].filter((route) => !NOT_OF_THE_API.test(route)).map(inDocument)
  expect(described.toSorted()).toEqual(expected.toSorted())
})

it('names every operation and every webhook once', () => {
  const names = [...operations, ...operationsOf(document.webhooks)].map(({ operationId }) => operationId)
  for (const name of names) expect(name).toMatch(/^[a-z]+([A-Z][a-z]+)+$/)
  expect(new Set(names).size).toBe(names.length)
})

it('describes every operation: one tag, a short summary, and every body by a schema', () => {
  const tags = document.tags.map(({ name }) => name)
  for (const { operationId, method, tags: own, summary, requestBody, responses } of operations) {
    expect(own, operationId).toHaveLength(1)
    expect(tags, operationId).toContain(own[0])
    expect(summary.length, operationId).toBeLessThanOrEqual(60)
    const bodies = [requestBody, ...Object.values(responses)].flatMap((of) => Object.values(of?.content ?? {}))
    for (const body of bodies) expect(body.schema, operationId).toBeTypeOf('object')
    const [answer] = Object.entries(responses).filter(([status]) => status.startsWith('2'))
    expect(answer?.[1].description, operationId).not.toBe('Default Response')
    if (method === 'head') expect(bodies, operationId).toEqual([])
  }
})

it('shows an example of every JSON body that is sent', () => {
  for (const { operationId, requestBody } of operations) {
    const json = requestBody?.content?.['application/json']
    if (json !== undefined) expect(json.example, operationId).toBeTypeOf('object')
  }
})

describe('refusals', () => {
  it('each has its codes, which have this status, and an example of each', () => {
    for (const { operationId, method, responses } of operations) {
      const refusals = Object.entries(responses).filter(([status, { content }]) => status >= '400' && content)
      if (method !== 'head') expect(refusals.length, operationId).toBeGreaterThan(0)
      for (const [status, { content = {}, description }] of refusals) {
        expect(Object.keys(content), operationId).toEqual(['application/problem+json'])
        const { examples = {} } = content['application/problem+json'] ?? {}
        expect(Object.keys(examples).length, `${operationId} ${status}`).toBeGreaterThan(0)
        for (const [code, example] of Object.entries(examples)) {
          const { value } = '$ref' in example ? (document.components.examples[code] ?? {}) : example
          expect(value, `${operationId} ${code}`).toMatchObject({ code, status: Number(status) })
          expect(description).toContain(`\`${code}\``)
        }
      }
    }
  })

  it('every code is one of some operation', () => {
    const listed = new Set(
      operations.flatMap(({ responses }) =>
        Object.values(responses).flatMap(({ description }) =>
          [...description.matchAll(/`([A-Z_]+)` /g)].map(([, code]) => code),
        ),
      ),
    )
    expect(Object.keys(ERRORS).filter((code) => !listed.has(code))).toEqual(OF_NO_OPERATION)
  })

  it('callers without the right credential are told of, where one is needed', () => {
    for (const { operationId, tags, responses } of operations) {
      if (NO_KEY.has(operationId)) expect(responses['401'], operationId).toBeUndefined()
      else if (tags[0] !== 'tus') expect(responses['401']?.description, operationId).toContain('`API_KEY_INVALID`')
    }
  })
})

it('describes every webhook, with what it tells', () => {
  expect(Object.keys(document.webhooks)).toEqual(Object.keys(EVENT_TYPES))
  const dataOf = (name: string) => document.components.schemas[name]?.properties?.['data']
  expect(Object.keys(dataOf('SubmissionDueEvent')?.properties ?? {})).toEqual(
    expect.arrayContaining(['sequence', 'hours', 'deadline', 'complete', 'missing', 'pending', 'sealAtDeadline']),
  )
  expect(dataOf('SubmissionLapsedEvent')?.required).toEqual(expect.arrayContaining(['sequence', 'missing']))
  expect(Object.keys(dataOf('SubmissionSealedEvent')?.properties ?? {})).toContain('by')
})

it('asks for no member that has a default, and for no body without such a member', () => {
  const { SealRequest, TicketRequest } = document.components.schemas
  expect(SealRequest?.properties).toHaveProperty('whenComplete')
  expect(SealRequest).not.toHaveProperty('required')
  expect(TicketRequest?.required).toEqual(['slot'])
  const bodies = Object.fromEntries(
    operations.map(({ operationId, requestBody }) => [operationId, requestBody?.required]),
  )
  expect(bodies).toMatchObject({ sealSubmission: false, createTicket: true, createLinks: false, appendToUpload: true })
  const limit = operations.find(({ operationId }) => operationId === 'listUploads')?.parameters
  expect(limit?.find(({ name }) => name === 'limit')).toMatchObject({ required: false })
})
