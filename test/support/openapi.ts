// The OpenAPI document as the service serves it. `npm run openapi` writes it into docs/openapi.json, with `--accept` also into the
// one of the last release; and the examples of events, with docs/events.md. Tests fail where they differ, or break a client.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EVENT_TYPES, EXAMPLES } from '../../src/events/event-types.ts'
import { contractOf, RELEASED } from './breaking.ts'
import { openStillEnvironment } from './environment.ts'
import { eventExamples } from './event-story.ts'
import { EVENTS_PAGE, eventsPage } from './events-page.ts'

export const COMMITTED = join(import.meta.dirname, '../../docs/openapi.json')

export type Schema = { properties?: Record<string, Schema>; required?: string[] }
type Content = Record<
  string,
  { schema: object; example?: unknown; examples?: Record<string, { value?: unknown } | { $ref: string }> }
>

export type Operation = {
  operationId: string
  tags: string[]
  summary: string
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { required?: boolean; content?: Content }
  responses: Record<string, { description: string; content?: Content }>
}

export type OpenApi = {
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; examples: Record<string, { value: unknown }> }
}

/** Of `paths` or of `webhooks`, in order. */
export function operationsOf(places: OpenApi['paths']): (Operation & { path: string; method: string })[] {
  return Object.entries(places).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })),
  )
}

/** A route as the document calls it: what is a wildcard for the router has names there. */
export function inDocument(route: string): string {
  return route
    .replace('/media/*', '/media/:token/:name')
    .replace('/receipts/*', '/receipts/:token')
    .replace('/files/*', '/files/:id')
    .replace(/:(\w+)/g, '{$1}')
}

/** As a file: readable, and with the same line for the same thing. */
export const asFile = (document: object) => `${JSON.stringify(document, null, 2)}\n`

/** The answer of a service of its own. */
async function served(): Promise<OpenApi> {
  const environment = await openStillEnvironment()
  const { body } = await environment.call('GET', '/openapi.json')
  await environment.close()
  return body as unknown as OpenApi
}

if (process.argv[1] === import.meta.filename) {
  const environment = await openStillEnvironment()
  const examples = await eventExamples(environment, Object.keys(EVENT_TYPES))
  await environment.close()
  writeFileSync(EXAMPLES, asFile(examples))
  writeFileSync(EVENTS_PAGE, eventsPage(examples))
  // The document shows these examples.
  const document = await served()
  writeFileSync(COMMITTED, asFile(document))
  if (process.argv.includes('--accept')) writeFileSync(RELEASED, asFile(contractOf(document)))
}
