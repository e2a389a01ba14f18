// `?access_token=` is for EventSource, which can set no header. An address is written into logs and histories, so it takes
// sessions only, which end, and on the two streams only.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { CREDENTIALS, type Scene, setScene } from './support/credentials.ts'

let stack: Environment
let scene: Scene
beforeAll(async () => {
  stack = await openEnvironment()
  await stack.deps.rebuilder.run()
  scene = await setScene(stack)
})
afterAll(async () => await stack.close())

async function ask(path: string, token: string): Promise<string> {
  const ended = new AbortController()
  const reply = await fetch(`${stack.url}${path}?access_token=${token}`, { signal: ended.signal })
  const code = reply.ok ? '' : ((await reply.json()) as { code: string }).code
  ended.abort()
  return `${reply.status} ${code}`.trim()
}

const shown = CREDENTIALS.filter((name) => name !== 'none' && name !== 'ops')

it.each(['submissions', 'uploads'])(
  'opens an event stream with a session of the submission, and with nothing else: %s',
  async (kind) => {
    const path = kind === 'submissions' ? `/v1/submissions/${scene.id}/events` : `/v1/uploads/${scene.whole}/events`
    const unknown = kind === 'submissions' ? '404 SUBMISSION_UNKNOWN' : '404 UPLOAD_UNKNOWN'
    const seen: Record<string, string> = {}
    for (const name of shown) seen[name] = await ask(path, scene.tokens[name])
    expect(seen).toEqual({
      ...Object.fromEntries(shown.map((name) => [name, '401 SESSION_INVALID'])),
      revokedSession: '401 SESSION_REVOKED',
      otherSession: unknown,
      readSession: '200',
      session: '200',
    })
  },
)

it('is ignored everywhere else', async () => {
  for (const path of [
    '/v1/events',
    '/v1/submissions',
    `/v1/submissions/${scene.id}`,
    `/v1/submissions/${scene.id}/uploads`,
    `/v1/submissions/${scene.id}/attempts`,
    `/v1/uploads/${scene.whole}`,
    `/v1/uploads/${scene.whole}/receipt`,
    '/v1/profiles',
  ])
    for (const token of [scene.tokens.session, scene.tokens.key])
      expect(await ask(path, token), path).toBe('401 API_KEY_INVALID')
})
