// Every route of the service against everything that somebody might show at the door. The routes are Fastify's own list:
// one that has no row here fails. Every cell is the status and, where it is a refusal, its code.

import { Agent } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildApp } from '../../../src/app.ts'
import { signMediaToken } from '../../../src/delivery/media-token.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { inDocument, type OpenApi } from '../../support/openapi.ts'
import { send } from '../../support/tus.ts'
import { ask } from './support/ask.ts'
import { CREDENTIALS, type CredentialName, setScene } from './support/credentials.ts'

type Cells = Record<CredentialName, string>

const everybody = (cell: string): Cells => Object.fromEntries(CREDENTIALS.map((name) => [name, cell])) as Cells

/** Nobody but a credential of the portal API gets past the door. */
const STRANGERS: Cells = {
  ...everybody('401 SESSION_INVALID'),
  revokedSession: '401 SESSION_REVOKED',
  none: '401 API_KEY_INVALID',
  garbage: '401 API_KEY_INVALID',
  ops: '401 API_KEY_INVALID',
}
const SESSIONS = ['otherSession', 'readSession', 'session'] as const

/** Only a portal; `unknown` is what another portal is told. */
const portalOnly = (key: string, unknown: string): Cells => ({
  ...STRANGERS,
  otherKey: unknown,
  ...Object.fromEntries(SESSIONS.map((name) => [name, '403 SESSION_SCOPE'])),
  key,
})

/** A portal, and sessions of this submission that may read it. */
const readable = (answer: string, unknown: string): Cells => ({
  ...STRANGERS,
  otherKey: unknown,
  otherSession: unknown,
  readSession: answer,
  session: answer,
  key: answer,
})

/** A portal, and sessions of this submission with more than reading. */
const changeable = (answer: string, unknown: string): Cells => ({
  ...readable(answer, unknown),
  readSession: '403 SESSION_SCOPE',
})

/** Tickets of the upload's own slot, expired or not: an upload that runs outlives its ticket. */
const ofTicket = (answer: string, wrongSlot = '403 TICKET_SCOPE'): Cells => ({
  ...everybody('401 TICKET_INVALID'),
  revokedTicket: '401 TICKET_REVOKED',
  otherTicket: '403 TICKET_SCOPE',
  slotTicket: wrongSlot,
  expiredTicket: answer,
  ticket: answer,
})

const SUBMISSION = '404 SUBMISSION_UNKNOWN'
const UPLOAD = '404 UPLOAD_UNKNOWN'
const NO_METHOD = everybody('405 METHOD_NOT_ALLOWED')
const OPEN = everybody('200')

const MATRIX: Record<string, Cells> = {
  'GET /': OPEN,
  'GET /docs': OPEN,
  'GET /docs/static/index.html': everybody('302'),
  'GET /docs/static/swagger-initializer.js': OPEN,
  'GET /docs/json': OPEN,
  'GET /docs/yaml': OPEN,
  'HEAD /docs/static/*': OPEN,
  'GET /docs/static/*': OPEN,
  'GET /openapi.json': OPEN,
  'GET /portal': OPEN,
  'GET /portal/:version/*': everybody('404 NOT_FOUND'),
  'GET /client': OPEN,
  'GET /client/:version/*': everybody('404 NOT_FOUND'),
  'GET /verify': OPEN,
  'GET /verify/:version/*': everybody('404 NOT_FOUND'),

  // Its name space is the API key's: another portal makes a submission of its own.
  'PUT /v1/submissions/:id': portalOnly('200', '201'),
  'GET /v1/submissions/:id': readable('200', SUBMISSION),
  'GET /v1/submissions': portalOnly('200', '200'),
  'DELETE /v1/submissions/:id': portalOnly('204', SUBMISSION),
  'PATCH /v1/submissions/:id/slots/:slot': changeable('200', SUBMISSION),
  'POST /v1/submissions/:id/tickets': changeable('201', SUBMISSION),
  'POST /v1/submissions/:id/seal': changeable('202', SUBMISSION),
  'DELETE /v1/submissions/:id/seal': changeable('200', SUBMISSION),
  'POST /v1/submissions/:id/return': portalOnly('409 SUBMISSION_NOT_SEALED', SUBMISSION),
  'POST /v1/submissions/:id/close': portalOnly('409 SUBMISSION_NOT_SEALED', SUBMISSION),
  'DELETE /v1/submissions/:id/close': portalOnly('409 SUBMISSION_NOT_SEALED', SUBMISSION),
  // Whoever hands in must never be let in: sessions need a permission that none of these has.
  'GET /v1/submissions/:id/review': portalOnly('200', SUBMISSION),
  'POST /v1/submissions/:id/sessions': portalOnly('201', SUBMISSION),
  'DELETE /v1/submissions/:id/sessions': portalOnly('204', SUBMISSION),
  'DELETE /v1/submissions/:id/sessions/:sid': portalOnly('204', SUBMISSION),
  'GET /v1/submissions/:id/uploads': readable('200', SUBMISSION),
  'GET /v1/submissions/:id/attempts': readable('200', SUBMISSION),
  'GET /v1/submissions/:id/events': readable('200', SUBMISSION),
  'POST /v1/submissions/:id/receipt/links': readable('409 RECEIPT_NOT_SEALED', SUBMISSION),
  'GET /v1/submissions/:id/receipt': readable('409 RECEIPT_NOT_SEALED', SUBMISSION),
  'GET /v1/uploads/:id': readable('200', UPLOAD),
  'DELETE /v1/uploads/:id': portalOnly('204', UPLOAD),
  'GET /v1/uploads/:id/receipt': readable('200', UPLOAD),
  'GET /v1/uploads/:id/events': readable('200', UPLOAD),
  'POST /v1/uploads/:id/links': readable('200', UPLOAD),
  'GET /v1/events': portalOnly('200', '200'),
  // Rules are no secret among those who have any business here.
  'GET /v1/profiles': readable('200', '200'),
  'GET /v1/profiles/:id': readable('200', '200'),
  'POST /v1/submissions/:id/attempts': changeable('200', SUBMISSION),
  // For everybody who asks whether it is their own line.
  'GET /v1/status': OPEN,
  // Only probes, whose keys open nothing else: see outages.test.ts.
  'POST /v1/outages': everybody('401 API_KEY_INVALID'),
  // For whoever holds a receipt.
  'GET /v1/receipts/keys': OPEN,
  'POST /v1/receipts/verify': everybody('400 BAD_REQUEST'),

  // The link is the credential, and no other is one: see below.
  'GET /media/*': everybody('403 LINK_INVALID'),
  'HEAD /media/*': everybody('403'),
  'GET /receipts/*': everybody('403 LINK_INVALID'),

  'POST /files': {
    ...everybody('401 TICKET_INVALID'),
    revokedTicket: '401 TICKET_REVOKED',
    otherTicket: '201',
    slotTicket: '201',
    expiredTicket: '401 TICKET_EXPIRED',
    ticket: '201',
  },
  'OPTIONS /files': everybody('204'),
  'OPTIONS /files/*': everybody('204'),
  'GET /files': NO_METHOD,
  'HEAD /files': everybody('405'),
  'PATCH /files': NO_METHOD,
  'DELETE /files': NO_METHOD,
  'PUT /files': NO_METHOD,
  'POST /files/*': NO_METHOD,
  // Whose slot it is is not asked where there is nothing to be had.
  'GET /files/*': ofTicket('405 METHOD_NOT_ALLOWED', '405 METHOD_NOT_ALLOWED'),
  'PUT /files/*': NO_METHOD,
  'HEAD /files/*': {
    ...everybody('401'),
    otherTicket: '403',
    slotTicket: '403',
    expiredTicket: '200',
    ticket: '200',
  },
  'PATCH /files/*': { ...ofTicket('204'), ticket: '409 OFFSET_MISMATCH' },
  'DELETE /files/*': { ...ofTicket('204'), ticket: '410 UPLOAD_CANCELLED' },
}

let stack: Environment
const agent = new Agent({ keepAlive: true })
beforeAll(async () => {
  stack = await openEnvironment()
  // Lists wait for a Redis that is known to hold everything.
  await stack.deps.rebuilder.run()
})
afterAll(async () => {
  agent.destroy()
  await stack.close()
})

describe('the matrix', () => {
  it('has a row for every route, and no other rows', async () => {
    const routes = new Set<string>()
    const app = await buildApp(stack.deps, { onRoute: (method, url) => routes.add(`${method} ${url}`) })
    await app.close()
    expect([...routes].toSorted()).toEqual(Object.keys(MATRIX).toSorted())
  })

  it('has no refusal that the OpenAPI document does not tell of', async () => {
    const { paths } = (await stack.call('GET', '/openapi.json')).body as unknown as OpenApi
    for (const [route, cells] of Object.entries(MATRIX)) {
      const [method = '', path = ''] = inDocument(route).split(' ')
      const operation = paths[path]?.[method.toLowerCase()]
      for (const cell of operation === undefined ? [] : new Set(Object.values(cells))) {
        const [status = '', code = ''] = cell.split(' ')
        expect(operation?.responses[status]?.description, `${route}: ${cell}`).toContain(
          code === '' ? '' : `\`${code}\``,
        )
      }
    }
  })

  // Those who are let in come last: had a refused call left a trace, they would see it.
  it.each(Object.entries(MATRIX))('%s', async (route, cells) => {
    const scene = await setScene(stack)
    const seen: Partial<Cells> = {}
    for (const name of CREDENTIALS) seen[name] = (await ask(route, { stack, scene, name, agent })).cell
    expect(seen).toEqual(cells)
  })
})

describe('media links', () => {
  it('open one object until they expire, and nothing if they are changed', async () => {
    const scene = await setScene(stack)
    const { body } = await stack.call('POST', `/v1/uploads/${scene.whole}/links`, { body: { names: ['original'] } })
    const [item] = body['items'] as { url: string }[]
    const good = new URL(item?.url ?? '').pathname
    const status = async (path: string) => {
      const reply = await send('GET', stack.url + path, {}, undefined, agent)
      return `${reply.status} ${reply.problem?.code ?? ''}`.trim()
    }
    expect(await status(good)).toBe('200')
    const [, , token = '', name = ''] = good.split('/')
    const [payload = '', mac = ''] = token.split('.')
    const other = await setScene(stack)
    const { object } = await stack.record(`http://x/files/${other.whole}`)
    const claims = {
      uploadId: other.whole,
      name: 'original',
      key: object.key,
      contentType: 'application/pdf',
      bytes: 10,
      fileName: 'x.pdf',
      download: false,
      session: null,
    }
    const soon = Math.floor(Date.now() / 1000)
    const forged = signMediaToken({ ...claims, expiresAtSeconds: soon + 600 }, ['s'.repeat(32)])
    const expired = signMediaToken({ ...claims, expiresAtSeconds: soon - 1 }, stack.deps.config.secrets.link)
    const flipped = mac.startsWith('A') ? `B${mac.slice(1)}` : `A${mac.slice(1)}`
    for (const [bad, answer] of [
      [forged, '403 LINK_INVALID'],
      [expired, '410 LINK_EXPIRED'],
      [`${payload}.${flipped}`, '403 LINK_INVALID'],
      [`${forged.split('.')[0]}.${mac}`, '403 LINK_INVALID'],
      [payload, '403 LINK_INVALID'],
    ] as const)
      expect(await status(`/media/${bad}/${name}`), bad).toBe(answer)
  })
})
