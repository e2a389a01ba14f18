// The client's events over connections that break, are held back or answered by something else on the way.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type EventOptions, Songngan, type SubmissionNews } from '../../../clients/client/src/client.ts'
import { type Environment, openEnvironment, PORTAL_KEY } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { startTcpProxy, type TcpProxy } from '../../support/proxy.ts'

let stack: Environment
const ending: (() => Promise<void> | void)[] = []

beforeAll(async () => {
  stack = await openEnvironment()
})
afterAll(async () => await stack.close())
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

/** Reads until the test ends. */
function follow(url: string, id: string, options: EventOptions = {}) {
  const stop = new AbortController()
  const news: SubmissionNews[] = []
  const ways: string[] = []
  const portal = new Songngan({ url, token: PORTAL_KEY })
  const reading = (async () => {
    const all = portal.events(id, { signal: stop.signal, onWay: (way) => ways.push(way), ...options })
    for await (const one of all) news.push(one)
  })()
  reading.catch(() => undefined) // told by whoever waits for it
  ending.push(async () => {
    stop.abort(new Error('the test is over'))
    await expect(reading).rejects.toThrow('the test is over')
  })
  const types = () => news.map(({ type }) => type).filter((type) => type !== 'progress')
  const ids = () => news.flatMap((one) => ('id' in one ? [one.id] : []))
  const seen = (type: string, count = 1) =>
    waitFor(() => types().filter((one) => one === type).length >= count, { what: `${count} × ${type}: ${types()}` })
  return { news, ways, types, ids, seen, reading, stop }
}

/** A proxy for HTTP that answers some requests itself. */
async function edge(meddle: (request: IncomingMessage, response: ServerResponse) => boolean): Promise<string> {
  const pass = async ({ url, headers }: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const { host: _, connection: __, ...kept } = headers as Record<string, string>
    const answer = await fetch(`${stack.url}${url}`, { headers: kept, signal: gone.signal })
    const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length']
    response.writeHead(
      answer.status,
      Object.fromEntries([...answer.headers].filter(([name]) => !hopByHop.includes(name))),
    )
    for await (const chunk of answer.body ?? []) response.write(chunk)
    response.end()
  }
  const server: Server = createServer((request, response) => {
    if (!meddle(request, response)) pass(request, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ending.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const isStream = ({ url = '' }: IncomingMessage) => url.endsWith('/events')

describe('a connection that is cut', () => {
  let proxy: TcpProxy
  const through = async () => {
    proxy = await startTcpProxy(stack.url)
    ending.push(() => proxy.stop())
    return proxy.url
  }

  it('is opened again, and what happened meanwhile is told once, and in order', async () => {
    const id = await stack.submission()
    const { seen, ids, types, ways } = follow(await through(), id)
    await seen('snapshot')
    const draft = await stack.beginUpload(id, 'plan')
    await stack.receiveBytes(draft)
    await seen('upload.created')
    proxy.set({ refuse: true })
    expect(proxy.cut()).toBeGreaterThan(0)
    await stack.reach(draft.id, 'stored')
    await stack.judgeUpload(draft.id, 'accepted')
    proxy.set({ refuse: false })
    await seen('submission.complete')
    proxy.cut()
    await stack.commitHead(id, { event: 'submission.reopened' })
    await seen('submission.reopened')
    expect(types()).toEqual([
      'snapshot',
      'upload.created',
      'upload.stored',
      'upload.accepted',
      'submission.complete',
      'submission.reopened',
    ])
    expect(ids()).toEqual((await stack.eventsOf(id)).map((event) => event.id))
    expect(ways).toEqual(['stream'])
  })

  it('in the middle of a message does not lose that message', async () => {
    const id = await stack.submission()
    const url = await through()
    const { seen, ids } = follow(url, id)
    await seen('snapshot')
    const upload = await stack.putUpload(id)
    await seen('upload.created')
    // Half of it is on the way, and no more.
    proxy.set({ delayMs: 50 })
    const problems = [{ code: 'X', severity: 'warn' as const, message: { th: 'ก'.repeat(500_000), en: '' } }]
    await stack.note(upload.id, { event: 'upload.playable', problems })
    await waitFor(() => proxy.connections() > 0)
    proxy.hangUp()
    proxy.cut()
    proxy.reset()
    await seen('upload.playable')
    expect(ids()).toEqual((await stack.eventsOf(id)).map((event) => event.id))
  })

  it('goes on in another process after the event that the first one had worked through', async () => {
    const id = await stack.submission()
    const upload = await stack.putUpload(id)
    await stack.reach(upload.id, 'stored')
    await stack.judgeUpload(upload.id, 'accepted')
    const [created, ...later] = (await stack.eventsOf(id)).map((event) => event.id)
    const { seen, ids, types } = follow(stack.url, id, { lastEventId: created ?? '' })
    await seen('submission.complete')
    expect(ids()).toEqual(later)
    expect(types()).not.toContain('snapshot')
  })
})

describe('where no stream comes through', () => {
  const quick = { pollMs: 30, patienceMs: 300 }

  it.each([
    [
      'a proxy answers 502',
      (_: IncomingMessage, response: ServerResponse) => void response.writeHead(502).end('<html>'),
    ],
    [
      'a proxy answers with a page',
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    ],
    ['a proxy holds everything back', () => undefined],
    [
      'a proxy holds the body back',
      (_: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      },
    ],
    [
      'a proxy ends it at once',
      (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
    ],
  ])('because %s, the document is asked for, and told when it has changed', async (_, held) => {
    const id = await stack.submission()
    let asked = 0
    const url = await edge((request, response) => {
      if (!isStream(request)) {
        asked++
        return false
      }
      held(request, response)
      return true
    })
    const { seen, news, types, ways } = follow(url, id, quick)
    await seen('snapshot')
    const before = asked
    await waitFor(() => asked > before + 3, { what: 'more questions' })
    // Nothing has changed: nothing is told.
    expect(types()).toEqual(['snapshot'])
    await stack.acceptedUpload(id, 'plan')
    await waitFor(() => news.some((one) => one.type === 'snapshot' && one.document.complete), { what: 'complete' })
    expect(ways).toEqual(['polling'])
    expect(new Set(types())).toEqual(new Set(['snapshot']))
  })

  it('it is used again once it does, from where it was, and nothing was lost', async () => {
    const id = await stack.submission()
    let isOpen = true
    const open = new Set<ServerResponse>()
    const url = await edge((request, response) => {
      if (!isStream(request)) return false
      if (isOpen) open.add(response)
      else response.writeHead(504).end()
      return !isOpen
    })
    const { seen, ids, types, ways } = follow(url, id, quick)
    await seen('snapshot')
    const upload = await stack.putUpload(id)
    await seen('upload.created')
    isOpen = false
    for (const response of open) response.destroy()
    await waitFor(() => ways.includes('polling'), { what: 'polling' })
    await stack.reach(upload.id, 'stored')
    await seen('snapshot', 2)
    isOpen = true
    await stack.judgeUpload(upload.id, 'accepted')
    await seen('submission.complete')
    expect(ways).toEqual(['stream', 'polling', 'stream'])
    expect(ids()).toEqual((await stack.eventsOf(id)).map((event) => event.id))
    expect(types().filter((type) => type !== 'snapshot')).toEqual([
      'upload.created',
      'upload.stored',
      'upload.accepted',
      'submission.complete',
    ])
  })

  it('a refusal of the service ends it, and is no reason to ask for ever', async () => {
    const id = await stack.submission()
    const url = await edge((request, response) => {
      if (isStream(request)) response.writeHead(502).end()
      return isStream(request)
    })
    const { seen, reading } = follow(url, id, quick)
    await seen('snapshot')
    await stack.call('DELETE', `/v1/submissions/${id}`)
    await expect(reading).rejects.toMatchObject({ code: 'SUBMISSION_DELETED' })
    ending.splice(-1)
  })
})

describe('a reader', () => {
  it('that stops ends the connection', async () => {
    const id = await stack.submission()
    let open = 0
    const url = await edge((_, response) => {
      open++
      response.once('close', () => open--)
      return false
    })
    for await (const one of new Songngan({ url, token: PORTAL_KEY }).events(id)) {
      expect([one.type, open]).toEqual(['snapshot', 1])
      break
    }
    await waitFor(() => open === 0, { what: 'the connection to end' })
  })

  it('whose signal was aborted before does not begin', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(new Songngan({ url: stack.url }).events('s', { signal }).next()).rejects.toThrow('too late')
    await expect(new Songngan({ url: stack.url }).status({ signal })).rejects.toThrow('too late')
  })
})
