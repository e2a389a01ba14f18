// One call of any route of the service, in a form that the route takes.

import type { Agent } from 'node:http'
import type { Environment } from '../../../support/environment.ts'
import { INTAKE } from '../../../support/profiles.ts'
import { OFFSET_TYPE, send } from '../../../support/tus.ts'
import type { CredentialName, Scene } from './credentials.ts'

const BODIES: Record<string, unknown> = {
  'PUT /v1/submissions/:id': { profile: INTAKE },
  'PATCH /v1/submissions/:id/slots/:slot': { metadata: {} },
  'POST /v1/submissions/:id/tickets': { slot: 'plan' },
  'POST /v1/submissions/:id/sessions': {},
  'POST /v1/submissions/:id/seal': { whenComplete: true },
  'POST /v1/submissions/:id/return': { reason: 'x' },
  'POST /v1/submissions/:id/close': { keepUntil: '2999-01-01T00:00:00Z' },
  'POST /v1/receipts/verify': {},
  'POST /v1/submissions/:id/attempts': { attempts: [{ at: '2026-01-01T00:00:00Z', slot: 'plan', code: 'NO_ANSWER' }] },
  'POST /v1/submissions/:id/receipt/links': {},
  'POST /v1/uploads/:id/links': {},
}

function pathOf(route: string, scene: Scene): string {
  return (route.split(' ')[1] ?? '')
    .replace('/v1/submissions/:id', `/v1/submissions/${scene.id}`)
    .replace('/v1/uploads/:id', `/v1/uploads/${route.startsWith('DELETE') ? scene.begun : scene.whole}`)
    .replace('/v1/profiles/:id', `/v1/profiles/${INTAKE}`)
    .replace(':slot', 'plan')
    .replace(':sid', 'a'.repeat(24))
    .replace('/files/*', `/files/${scene.begun}`)
    .replace('/docs/static/*', '/docs/static/swagger-ui.css')
}

export type Answer = {
  status: number
  code: string | undefined
  retryAfter: string | null
  /** Status and code, as a cell of a table. */
  cell: string
}

/** What is answered to one call of a route, as Fastify names it, with a body and a path that it takes. */
export async function ask(
  route: string,
  { stack, scene, name, agent }: { stack: Environment; scene: Scene; name: CredentialName; agent: Agent },
): Promise<Answer> {
  const [method = ''] = route.split(' ')
  const url = stack.url + pathOf(route, scene)
  const headers: Record<string, string | number> = scene.authorization(name)
  if (route.endsWith('/events')) return await askStream(url, headers as Record<string, string>)
  let body: Buffer | undefined
  if (route.includes(' /files')) {
    Object.assign(headers, { 'tus-resumable': '1.0.0' })
    if (method === 'POST') headers['upload-length'] = 1000
    if (method === 'PATCH') {
      Object.assign(headers, { 'upload-offset': 100, 'content-type': OFFSET_TYPE })
      body = scene.bytes.subarray(100, 101)
    }
  } else if (BODIES[route] !== undefined) {
    headers['content-type'] = 'application/json'
    body = Buffer.from(JSON.stringify(BODIES[route]))
  }
  const reply = await send(method, url, headers, body, agent)
  return answer(reply.status, reply.problem?.code, String(reply.headers['retry-after'] ?? '') || null)
}

function answer(status: number, code: string | undefined, retryAfter: string | null): Answer {
  return { status, code, retryAfter, cell: `${status} ${code ?? ''}`.trim() }
}

/** A stream of events does not end by itself. */
async function askStream(url: string, headers: Record<string, string>): Promise<Answer> {
  const ended = new AbortController()
  const reply = await fetch(url, { headers, signal: ended.signal })
  const code = reply.ok ? undefined : ((await reply.json()) as { code: string }).code
  ended.abort()
  return answer(reply.status, code, reply.headers.get('retry-after'))
}
