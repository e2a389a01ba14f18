// A change that breaks clients made from the document of the last release is seen: in today's document there is none.

import { expect, it } from 'vitest'
import { breaksOf, contractOf, RELEASED, readDocument } from '../../support/breaking.ts'
import { COMMITTED, type OpenApi, type Schema } from '../../support/openapi.ts'

const committed = readDocument(COMMITTED)

it('clients of the last release go on with this document', () => {
  expect(breaksOf(readDocument(RELEASED), committed), 'intended? `npm run openapi -- --accept`').toEqual([])
})

it('the released one is kept without texts, but with all names of members', () => {
  expect(JSON.stringify(contractOf(committed))).not.toContain('"description":')
  const named = { components: { schemas: { A: { description: 'x', properties: { description: {}, title: {} } } } } }
  expect(contractOf(named as unknown as OpenApi)).toEqual({
    components: { schemas: { A: { properties: { description: {}, title: {} } } } },
  })
})

/** A few operations, with what they refer to: comparing all of them takes seconds. */
const small: OpenApi = {
  ...committed,
  paths: pick(committed.paths, [
    '/v1/status',
    '/v1/submissions/{id}/tickets',
    '/v1/submissions/{id}/sessions',
    '/files',
  ]),
  webhooks: pick(committed.webhooks, ['upload.accepted']),
}

function pick<T>(from: Record<string, T>, names: string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, from[name] as T]))
}

type Doctor = (document: OpenApi, schema: (name: string) => Required<Schema>) => void

function doctored(doctor: Doctor): OpenApi {
  const copy = structuredClone(small)
  doctor(copy, (name) => copy.components.schemas[name] as Required<Schema>)
  return copy
}

const remove = (schema: Required<Schema>, name: string) => {
  delete schema.properties[name]
  schema.required = schema.required.filter((one) => one !== name)
}

it.each<[string, Doctor]>([
  ['a member of an answer is gone', (_, schema) => remove(schema('Ticket'), 'tusEndpoint')],
  ['a member of an answer may be absent', (_, schema) => void schema('Ticket').required.shift()],
  [
    'a member of an answer has another type',
    (_, s) => Object.assign(s('Ticket').properties['ticket'] ?? {}, { type: 'integer' }),
  ],
  [
    'a member of an answer may be null',
    (_, s) => Object.assign(s('Ticket').properties['ticket'] ?? {}, { type: ['string', 'null'] }),
  ],
  ['a body needs a member more', (_, schema) => void schema('TicketRequest').required.push('subject')],
  ['a body knows a member less', (_, schema) => remove(schema('TicketRequest'), 'maxBytes')],
  [
    'a limit of a body is lower',
    (_, s) => Object.assign(s('TicketRequest').properties['slot'] ?? {}, { maxLength: 3 }),
  ],
  ['an operation is gone', ({ paths }) => void delete paths['/v1/status']],
  [
    'an operation has another name',
    ({ paths }) => Object.assign(paths['/v1/status']?.['get'] ?? {}, { operationId: 'x' }),
  ],
  ['an answer is gone', ({ paths }) => void delete paths['/files']?.['post']?.responses['201']],
  ['a webhook is gone', ({ webhooks }) => void delete webhooks['upload.accepted']],
  [
    'a webhook tells less',
    (_, schema) => remove(schema('UploadAcceptedEvent').properties['data'] as Required<Schema>, 'slot'),
  ],
])('breaks clients: %s', (_name, doctor) => {
  expect(breaksOf(small, doctored(doctor))).not.toEqual([])
})

it.each<[string, Doctor]>([
  ['nothing', () => undefined],
  ['texts', ({ paths }) => Object.assign(paths['/v1/status']?.['get'] ?? {}, { summary: 'x', description: 'y' })],
  [
    'an answer tells more',
    (_, schema) => {
      schema('Ticket').properties['novel'] = { type: 'string' } as Schema
      schema('Ticket').required.push('novel')
    },
  ],
  [
    'a body may have more',
    (_, schema) => Object.assign(schema('TicketRequest').properties, { novel: { type: 'string' } }),
  ],
  [
    'a refusal more',
    ({ paths }) => Object.assign(paths['/v1/status']?.['get']?.responses ?? {}, { 418: { description: '' } }),
  ],
  ['an operation more', ({ paths }) => Object.assign(paths, { '/v1/novel': paths['/v1/status'] })],
  ['a webhook more', ({ webhooks }) => Object.assign(webhooks, { 'upload.novel': webhooks['upload.accepted'] })],
])('breaks nobody: %s', (_name, doctor) => {
  expect(breaksOf(small, doctored(doctor))).toEqual([])
})
