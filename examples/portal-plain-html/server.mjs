// A portal of a static page and a small server of node:http: sessions for the page, and a receiver of webhooks.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { API_KEY, PORT, SONGNGAN_URL, Songngan, verifyWebhook, WEBHOOK_SECRET } from '../songngan.mjs'

const MOST_BYTES = 1_000_000
const origin = `http://127.0.0.1:${PORT}`
const songngan = new Songngan({ url: SONGNGAN_URL, token: API_KEY })

// Of a real portal: its own number of what one person hands in, and the date until which it takes files.
const submissionId = `example-${Date.now()}`
const deadline = new Date(Date.now() + 7 * 86_400_000).toISOString()

const ROUTES = {
  'GET /': async () => ({
    type: 'text/html; charset=utf-8',
    body: await readFile(new URL('page.html', import.meta.url)),
  }),

  // A real portal asks here who is logged in, and whether the submission is theirs.
  'POST /session': async () => {
    const callbackUrl = `${origin}/webhooks/songngan`
    await songngan.submissions.put(submissionId, { profile: 'teacher.K4', deadline, callbackUrl })
    const { token } = await songngan.sessions.create(submissionId, { subject: 'teacher-1' })
    return { type: 'application/json', body: JSON.stringify({ service: SONGNGAN_URL, token }) }
  },

  'POST /webhooks/songngan': async (request) => {
    const event = await verifyWebhook(await bodyOf(request), request.headers, WEBHOOK_SECRET).catch((error) => {
      console.log(`refused: ${error.message}`)
    })
    if (event === undefined) return { status: 401 }
    // A real portal stores event.id, passes over those that it has already, and works after it has answered.
    console.log(`verified: ${event.type} ${event.data.submissionId} ${event.data.slot ?? ''}`)
    return { status: 204 }
  },
}

/** The bytes as they came: the signature is over them. */
async function bodyOf(request) {
  const parts = []
  let bytes = 0
  for await (const part of request) {
    bytes += part.length
    if (bytes > MOST_BYTES) throw new Error('a body that is too long')
    parts.push(part)
  }
  return Buffer.concat(parts)
}

createServer(async (request, response) => {
  try {
    const route = ROUTES[`${request.method} ${request.url}`]
    const { status = 200, type = 'text/plain', body } = route ? await route(request) : { status: 404 }
    response.writeHead(status, { 'Content-Type': type }).end(body)
  } catch (error) {
    console.error(error)
    response.writeHead(500).end()
  }
}).listen(PORT, '127.0.0.1', () => console.log(`Portal at ${origin}`))
