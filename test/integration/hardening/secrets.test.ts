// A service and a worker that log everything there is to log, and people who go in and out: no credential of anybody is
// in a line afterwards.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { signPrintToken } from '../../../src/api/print-token.ts'
import { LANES } from '../../../src/jobs/contract.ts'
import { AddressRefused } from '../../../workers/notify/address-guard.ts'
import { type Environment, OTHER_KEY, openEnvironment, PORTAL_KEY, TICKET_SECRET } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { type Receiver, startReceiver } from '../../support/receiver.ts'
import { send } from '../../support/tus.ts'
import { CREDENTIALS, OPS_PASSWORD, setScene } from './support/credentials.ts'

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
/** A portal may put a secret of its own into its address. */
const HOOK_TOKEN = 'a-secret-in-the-address'

let stack: Environment
let portal: Receiver
beforeAll(async () => {
  process.env['TEST_LOG_LEVEL'] = 'trace'
  portal = await startReceiver()
  stack = await openEnvironment({
    lanes: LANES.join(),
    env: {
      WEBHOOK_URL: `${portal.url}?token=${HOOK_TOKEN}`,
      WEBHOOK_SECRET,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      OPS_PASSWORD,
      LOG_LEVEL: 'trace',
    },
  })
})
afterAll(async () => {
  delete process.env['TEST_LOG_LEVEL']
  await stack.close()
  await portal.close()
})

it('logs no credential, at any level, also on errors', async () => {
  const { deps, lines } = stack
  portal.reply = () => ({ status: 500 })
  await stack.start()
  const scene = await setScene(stack)
  const links = await stack.call('POST', `/v1/uploads/${scene.whole}/links`, { body: { names: ['original'] } })
  const link = new URL((links.body['items'] as { url: string }[])[0]?.url ?? '').pathname
  for (const name of CREDENTIALS) {
    const headers = scene.authorization(name)
    const bearer = headers['authorization']?.replace(/^\w+ /, '') ?? ''
    const access = `access_token=${encodeURIComponent(bearer)}`
    await send('GET', `${stack.url}/v1/submissions/${scene.id}?${access}`, headers)
    await send('GET', `${stack.url}/v1/nothing/${'y'.repeat(400)}?a=1&${access}`, headers)
    await send('GET', `${stack.url}/v1/%E0%A4%A?${access}`, headers)
    // The router and the query parser decode these; a filter by their spelling would not see them.
    const encoded = `%61ccess%5Ftoken=${encodeURIComponent(bearer)}`
    await send(
      'GET',
      `${stack.url}/v1/submissions/${scene.id}/attempts/?x=1&${encoded}&access_token[]=${bearer}`,
      headers,
    )
    await send('GET', `${stack.url}/v1/nothing;${access}#${access}`, headers)
    await send('GET', `${stack.url}/nothing/${bearer}`, headers)
    await send('PATCH', `${stack.url}/files/${scene.begun}?${access}`, { ...headers, 'upload-offset': 'x' })
    await send('POST', `${stack.url}/files`, {
      ...headers,
      'tus-resumable': '1.0.0',
      'upload-length': 'many',
    })
    const body = Buffer.from('{"ticket":')
    const json = { ...headers, 'content-type': 'application/json' }
    await send('POST', `${stack.url}/v1/submissions/${scene.id}/tickets`, json, body)
  }
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + 600
  const printed = { owner: 'portal', submission: scene.id, revision: 1, expiresAtSeconds, session: null }
  const print = signPrintToken(printed, deps.config.secrets.link)
  for (const prefix of ['/receipts/', '/%72eceipts/', '//receipts/', '/RECEIPTS/', '/receipts//'])
    await send('GET', `${stack.url}${prefix}${print}?x=1`)
  await send('GET', stack.url + link)
  await send('GET', `${stack.url + link.slice(0, -12)}?download=1`)
  for (const prefix of [
    '/%6dedia/',
    '/m%65dia/',
    '/%256dedia/',
    '//media/',
    '/MEDIA/',
    '/media//',
    '/./media/',
    '/x/../media/',
  ])
    await send('GET', stack.url + link.replace('/media/', prefix))
  // Whatever nobody foresaw is logged with all that it brings.
  const { authorization = '' } = scene.authorization('key')
  deps.logger.error({ err: new Error('boom'), req: { headers: { authorization } } }, 'unexpected error')
  deps.logger.warn({ err: new AddressRefused('portal.example') }, 'refused')
  await waitFor(() => portal.deliveries.length > 2, { what: 'webhooks to be tried' })
  await waitFor(() => lines.some((line) => line.includes('"outcome":"')), {
    what: 'a failed webhook to be logged',
  })
  await stack.stop()

  const media = link.split('/')[2] ?? 'no token'
  const secrets: Record<string, string> = {
    ...scene.tokens,
    print: print.split('.')[1] ?? 'no token',
    PORTAL_KEY,
    OTHER_KEY,
    TICKET_SECRET,
    OPS_PASSWORD,
    WEBHOOK_SECRET,
    HOOK_TOKEN,
    media,
    mediaMac: media.split('.')[1] ?? 'no mac',
    ops: Buffer.from(`ops:${OPS_PASSWORD}`).toString('base64'),
    webhook: WEBHOOK_SECRET.replace('whsec_', ''),
  }
  expect(lines.length).toBeGreaterThan(100)
  expect(lines.some((line) => line.includes('"level":"debug"'))).toBe(true)
  for (const [name, secret] of Object.entries(secrets)) {
    const encoded = encodeURIComponent(secret)
    const telling = lines.filter((line) => line.includes(secret) || line.includes(encoded))
    expect(telling.slice(0, 2), name).toEqual([])
  }
})
