// Every event happens once, and its body is the example that portals read: in docs/events.md and in the OpenAPI document.

import { readFileSync } from 'node:fs'
import { Compile } from 'typebox/compile'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describedWebhooks, EVENT_TYPES, EXAMPLES } from '../../../src/events/event-types.ts'
import type { EventBody } from '../../../src/records/event-body.ts'
import { openStillEnvironment, type StillEnvironment } from '../../support/environment.ts'
import { eventExamples } from '../../support/event-story.ts'
import { EVENTS_PAGE, eventsPage } from '../../support/events-page.ts'
import type { Schema } from '../../support/openapi.ts'

const REMEDY = 'run `npm run openapi`'

let h: StillEnvironment
let examples: Record<string, EventBody>
beforeAll(async () => {
  h = await openStillEnvironment()
  examples = await eventExamples(h, Object.keys(EVENT_TYPES))
})
afterAll(async () => await h.close())

it('the kept examples are those that the service publishes', () => {
  expect(JSON.parse(readFileSync(EXAMPLES, 'utf8')), REMEDY).toEqual(examples)
})

it('the page has every event with its example', () => {
  const page = readFileSync(EVENTS_PAGE, 'utf8')
  for (const type of Object.keys(EVENT_TYPES)) expect(page).toContain(`### ${type}\n`)
  expect(page === eventsPage(examples), REMEDY).toBe(true)
})

it.each(Object.keys(EVENT_TYPES))('%s has what its schema says, and nothing else', (type) => {
  const content = describedWebhooks()[type]?.post.requestBody.content['application/json']
  const schema = content?.schema as Required<Schema>
  const validator = Compile(schema as object)
  const body = examples[type]
  expect([...validator.Errors(body)]).toEqual([])
  expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(Object.keys(body ?? {})))
  expect(Object.keys(schema.properties['data']?.properties ?? {})).toEqual(
    expect.arrayContaining(Object.keys(body?.data ?? {})),
  )
  expect(content?.example).toEqual(body)
})
