// The OpenAPI document: what all routes have in common, and the last touch on what @fastify/swagger gathers from them.

import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { ERRORS, type ErrorCode } from '../../core/errors.ts'
import { type Json, nameSchemas } from './components.ts'
import { CODES, problemExample } from './responses.ts'

const bearer = (description: string) => ({ type: 'http', scheme: 'bearer', description }) as const

const TAGS = {
  submissions: 'What one person hands in: requirements, dates, files',
  tickets: 'Permission to create one upload in one slot',
  'handing in': 'Seal, return, close',
  sessions: 'Access of a browser page to one submission',
  uploads: 'Files, their verdicts, and links to them',
  tus: 'The upload endpoint: tus 1.0.0 (https://tus.io), as every tus client speaks it',
  receipts: 'Signed statements of uploads, attempts and whole hand-ins',
  profiles: 'Requirement profiles: slots and their rules',
  status: 'Whether files are taken now, and outages',
  events: 'What happens, as a stream, as webhooks and as a log',
  media: 'Files behind links',
}

/** Registers the document. `paths`: those that no route describes; `webhooks`: as in OpenAPI 3.1. */
export async function describeApi(app: FastifyInstance, parts: { paths: Json; webhooks: Json }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Songngan',
        version: '1.0.0',
        description:
          'Resumable uploads of teaching videos and PDFs. Portals use this JSON API; files are uploaded to `/files` by tus 1.0.0.',
        license: { name: 'UNLICENSED', identifier: 'LicenseRef-UNLICENSED' } as { name: string },
      },
      servers: [{ url: '/', description: 'The service that this document comes from' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          apiKey: bearer('An API key of the portal'),
          session: { ...bearer('A session of one submission'), bearerFormat: 'JWT' },
          ticket: { ...bearer('A ticket for one slot; not asked for with `AUTH=none`'), bearerFormat: 'JWT' },
          probeKey: bearer('A key of `PROBE_KEYS`'),
        },
      },
      security: [{ apiKey: [] }, { session: [] }],
    },
    transformObject: (given) => {
      if (!('openapiObject' in given)) throw new Error('the document is not of OpenAPI 3')
      const { openapiObject: document } = given
      return finish({ ...document, paths: { ...document.paths, ...parts.paths }, webhooks: parts.webhooks } as Document)
    },
  })
}

type Operation = {
  operationId?: string
  parameters?: { in: string; required?: boolean; schema: Json }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Json }> }
  responses: Record<string, Response>
}
type Response = { headers?: Json; content?: Record<string, Json> }
type Document = Json & { components: Json; paths: Record<string, Record<string, Operation>> }

const WAITING = new Set(['423', '429', '503', '507'])

function finish(document: Document): Json {
  const { components, paths, webhooks, ...rest } = document
  const examples: Json = {}
  for (const path of Object.values(paths)) {
    // A route of two methods has one object for both.
    if (path['head'] !== undefined && path['head'] === path['get']) path['head'] = ofHead(path['get'])
    for (const [method, operation] of Object.entries(path)) {
      letOmit(operation)
      for (const [status, response] of Object.entries(operation.responses)) {
        showProblems(Number(status), response, examples)
        if (method === 'head') delete response.content
        if (WAITING.has(status)) response.headers = { ...response.headers, 'Retry-After': RETRY_AFTER }
      }
    }
  }
  const schemas: Json = {}
  const named = nameSchemas({ paths, webhooks }, schemas)
  const shared = { ...components, schemas: inOrder(schemas), examples: inOrder(examples) }
  return { ...rest, ...named, components: shared }
}

/** What has a default, or no member that must be there, may be left out; the plugin calls all of it required. */
function letOmit({ parameters = [], requestBody }: Operation): void {
  for (const parameter of parameters) if (parameter.schema['default'] !== undefined) parameter.required = false
  const json = requestBody?.content['application/json']?.schema
  if (requestBody === undefined || json === undefined) return
  const members = json['properties'] as Record<string, Json> | undefined
  const asked = ((json['required'] ?? []) as string[]).filter((name) => members?.[name]?.['default'] === undefined)
  requestBody.required = asked.length > 0
}

function ofHead({ operationId = '', ...operation }: Operation): Operation {
  return structuredClone({ ...operation, operationId: operationId.replace(/^get/, 'head') })
}

const RETRY_AFTER = { description: 'Seconds to wait before the next try', schema: { type: 'integer' } }

/** Each code as an example of its answer: written once, unless its status is another than usual. */
function showProblems(status: number, response: Response, examples: Json): void {
  for (const content of Object.values(response.content ?? {})) {
    const { [CODES]: codes, ...rest } = content as Json & { [CODES]?: ErrorCode[] }
    if (codes === undefined) continue
    const shown = codes.map((code) => {
      const example = problemExample(code, status)
      if (ERRORS[code].status !== status) return [code, example]
      examples[code] = example
      return [code, { $ref: `#/components/examples/${code}` }]
    })
    response.content = { 'application/problem+json': { ...rest, examples: Object.fromEntries(shown) } }
  }
}

function inOrder(members: Json): Json {
  return Object.fromEntries(Object.entries(members).sort(([a], [b]) => (a < b ? -1 : 1)))
}
