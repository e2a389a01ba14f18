// Load tools against a stage: consent and its refusals, and a rehearsal by two generators, audited over the API and removed.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  CONSENT_PATH,
  loadTestAuthorization,
  newNonce,
  OBJECT_COUNT_PATH,
} from '../../../src/core/load-test-consent.ts'
import { askForConsent, consentOf, type Stage } from '../../../tools/lib/consent.ts'
import { Portal } from '../../../tools/lib/portal.ts'
import { UsageError } from '../../../tools/lib/usage.ts'
import { parseRehearsalArgs } from '../../../tools/rehearse/args.ts'
import { joinRehearsal } from '../../../tools/rehearse/generator/join.ts'
import { rehearse } from '../../../tools/rehearse/run.ts'
import { freePort } from '../../support/http.ts'
import { API_KEY, type Installation, openInstallation } from '../../support/installation.ts'
import type { Running } from '../../support/service.ts'

const SECRET = 'load-test-secret-0123456789-abcdef'

let installation: Installation
/** With the secret, and as in production. */
let stage: Running
let production: Running

beforeAll(async () => {
  installation = await openInstallation({}, async (opened) => {
    stage = await opened.service({ LOAD_TEST_SECRET: SECRET, LOAD_TEST_MAX_CLIENTS: '40' })
    production = await opened.service()
    await opened.worker()
    return opened
  })
})
afterAll(() => installation?.close())

const ask = (url: string, secret = SECRET): Promise<Stage> => askForConsent(new URL(url), secret)
const answer = async (url: string, authorization?: string) => {
  const headers = authorization === undefined ? {} : { authorization }
  const response = await fetch(new URL(CONSENT_PATH, url), { headers })
  return { status: response.status, body: await response.text() }
}

/** A server in front of another one, which sees and may change what passes. */
async function between(
  answerOf: (authorization: string) => Promise<{ status: number; body: string }>,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server: Server = createServer((request, response) => {
    answerOf(request.headers.authorization ?? '').then(
      ({ status, body }) => response.writeHead(status, { 'content-type': 'application/json' }).end(body),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('consent', () => {
  it('is given to the tool with the secret, with the service’s limits', async () => {
    const { origin, limits } = await ask(stage.url)
    expect(origin).toBe(new URL(stage.url).origin)
    expect(limits).toEqual({ clients: 40, minutes: 30, clientsPerSecond: 20, mbit: 200 })
  })

  it('is refused in one line by a service without the secret', async () => {
    const refusal = /^http:\/\/127.0.0.1:\d+ does not consent to load tests: .*$/
    await expect(ask(production.url)).rejects.toThrow(refusal)
    await expect(ask(stage.url, `${SECRET}!`)).rejects.toThrow(refusal)
    await expect(ask(production.url)).rejects.toBeInstanceOf(UsageError)
  })

  it('is not asked for on another machine without a secret, nor without checks of certificates', async () => {
    const base = new URL('https://stage.invalid')
    await expect(consentOf(base, {})).rejects.toThrow('set LOAD_TEST_SECRET')
    const env = { LOAD_TEST_SECRET: SECRET, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    await expect(consentOf(base, env)).rejects.toThrow('turns certificate checks off')
  })

  it('tells nobody else that it exists', async () => {
    const like = (text: string) => text.replace(/"[^"]*"/g, (word) => (word.includes(CONSENT_PATH) ? '"path"' : word))
    const absent = await answer(production.url, loadTestAuthorization(SECRET, newNonce(), CONSENT_PATH))
    expect(absent.status).toBe(404)
    const strangers = [
      undefined,
      'Bearer x',
      loadTestAuthorization(`${SECRET}!`, newNonce(), CONSENT_PATH),
      // A proof for another path, and one without its nonce.
      loadTestAuthorization(SECRET, newNonce(), OBJECT_COUNT_PATH),
      loadTestAuthorization(SECRET, newNonce(), CONSENT_PATH).replace(/ .{43}/, ` ${newNonce()}`),
    ]
    for (const authorization of strangers) {
      const { status, body } = await answer(stage.url, authorization)
      expect({ status, body: like(body) }).toEqual({ status: 404, body: like(absent.body) })
    }
    const posted = await fetch(new URL(CONSENT_PATH, stage.url), { method: 'POST' })
    expect(posted.status).toBe(404)
    const openapi = await (await fetch(new URL('/openapi.json', stage.url))).text()
    expect(openapi).not.toContain('load-test')
  })

  it('cannot be replayed, nor relayed for another service', async () => {
    const recorded = await answer(stage.url, loadTestAuthorization(SECRET, newNonce(), CONSENT_PATH))
    expect(recorded.status).toBe(200)
    await between(
      async () => recorded,
      async (url) => void (await expect(ask(url)).rejects.toThrow('does not consent')),
    )
    const relayed = (authorization: string) => answer(stage.url, authorization)
    await between(relayed, async (url) => {
      await expect(ask(url)).rejects.toThrow(`is known to the service as ${new URL(stage.url).origin}`)
    })
    let middle = ''
    // The same with the address of the one in the middle written over: the proof names another.
    await between(
      async (authorization) => {
        const { status, body } = await relayed(authorization)
        return { status, body: body.replace(new URL(stage.url).origin, middle) }
      },
      async (url) => {
        middle = url
        await expect(ask(url)).rejects.toThrow('does not consent')
      },
    )
  })
  it('includes the count of objects on the operations listener', async () => {
    const target = `${OBJECT_COUNT_PATH}?portal=school&prefix=x&from=0&count=1`
    const count = (url: string, secret: string) =>
      fetch(new URL(target, url), { headers: { authorization: loadTestAuthorization(secret, newNonce(), target) } })
    expect((await count(stage.opsUrl, SECRET)).status).toBe(200)
    expect((await count(stage.opsUrl, `${SECRET}!`)).status).toBe(404)
    expect((await count(production.opsUrl, SECRET)).status).toBe(404)
  })
})

it('a rehearsal by two generators is one report; it is audited over the API, and removed', async () => {
  const port = await freePort()
  const words = ['--scenario', 'stage', '--clients', '12', '--minutes', '0.1', '--scale', '0.01', '--speed', '20']
  const more = ['--url', stage.url, '--listen', `127.0.0.1:${port}`, '--remote', '1']
  const args = parseRehearsalArgs([...words, ...more])
  const settings = { base: new URL(stage.url), apiKey: API_KEY, webhookSecret: undefined }
  const given = { settings, ops: [new URL(stage.opsUrl)], stage: await ask(stage.url), secret: SECRET }
  const said: string[] = []
  let joined: Promise<void> | undefined
  const report = await rehearse(args, given, (line) => {
    said.push(line)
    const env = { LOAD_TEST_SECRET: SECRET }
    if (!line.startsWith('Waiting for 1 generators')) return
    // A stranger is not let in, and does not take the place of the one that is.
    const address = { host: '127.0.0.1', port }
    joined = joinRehearsal(address, { LOAD_TEST_SECRET: `${SECRET}!` }, () => {}).then(
      () => Promise.reject(new Error('a stranger joined')),
      () => joinRehearsal(address, env, () => {}),
    )
  })
  await joined
  expect(report.errors, said.join('\n')).toEqual([])
  expect(report.goals.filter(({ name, met }) => !met && !name.includes('p9'))).toEqual([])
  expect(report.audit).toMatchObject({ offered: 12, served: 12, lost: 0 })
  expect(report.crowd.generators).toMatchObject([
    { name: 'crowd', clients: 6 },
    { clients: 6, clockOffsetMs: expect.any(Number) },
  ])
  for (const { lateMs } of report.crowd.generators ?? []) expect(lateMs.count).toBeGreaterThan(0)
  expect(report.store).toMatchObject({ hashed: 12, errors: [] })
  expect(report.store?.objects).toBeGreaterThanOrEqual(12)
  expect(report.removal).toEqual({ removed: 12, left: [], errors: [] })
  const id = /submissions (\S+) to/.exec(said.join('\n'))?.[1] ?? ''
  const portal = new Portal({ base: new URL(stage.url), apiKey: API_KEY })
  await expect(portal.submission(id)).rejects.toMatchObject({ status: 410 })
})

it('a run above the service’s limits does not begin', async () => {
  const args = parseRehearsalArgs(['--scenario', 'stage', '--url', stage.url])
  const settings = { base: new URL(stage.url), apiKey: API_KEY, webhookSecret: undefined }
  const given = { settings, ops: [], stage: await ask(stage.url), secret: SECRET }
  await expect(rehearse(args, given, () => {})).rejects.toThrow('200 clients, limit 40')
})
