// docs/events.md: every event with when it is told, what it has, and a body that a test produced. Written by `npm run openapi`.

import { join } from 'node:path'
import { EVENT_TYPES } from '../../src/events/event-types.ts'
import type { EventBody } from '../../src/records/event-body.ts'

export const EVENTS_PAGE = join(import.meta.dirname, '../../docs/events.md')

export function eventsPage(examples: Record<string, EventBody>): string {
  const types = Object.entries(EVENT_TYPES)
  const table = types.map(([type, { when }]) => `| [\`${type}\`](#${type.replace('.', '')}) | ${when} |`)
  const sections = types.map(([type, { when, data = {} }]) => {
    const more = Object.keys(data).map((name) => `\`${name}\``)
    const also = more.length === 0 ? '' : ` Also in \`data\`: ${more.join(', ')}.`
    return `### ${type}\n\n${when}.${also}\n\n\`\`\`json\n${JSON.stringify(examples[type], null, 2)}\n\`\`\`\n`
  })
  return `# Events

The body is the same on webhooks, on streams (\`GET /v1/submissions/:id/events\`, \`GET /v1/uploads/:id/events\`) and in \`GET /v1/events\`. All have
\`id\`, \`type\`, \`timestamp\`, and in \`data\` at least \`sequence\`, \`submissionId\`, \`revision\` and \`state\`; those of uploads also \`uploadId\` and
\`slot\`, \`late: true\` if it is, and \`problems\` if there are any. Pass over types and members that you do not know. The schemas are the
\`webhooks\` in [openapi.json](openapi.json); how to receive and order events says [integrating.md](integrating.md#events).

Each example was published by the service in a test. This page is written by \`npm run openapi\`, and a test compares it with the code.

| event | when |
|---|---|
${table.join('\n')}

${sections.join('\n')}`
}
