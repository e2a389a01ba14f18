// A portal in Fastify: a page with the element, sessions for it, and a receiver of webhooks.

import { readFile } from 'node:fs/promises'
import Fastify from 'fastify'
import { API_KEY, PORT, SONGNGAN_URL, Songngan, verifyWebhook, WEBHOOK_SECRET } from '../songngan.mjs'

const origin = `http://127.0.0.1:${PORT}`
const page = await readFile(new URL('page.html', import.meta.url))
const songngan = new Songngan({ url: SONGNGAN_URL, token: API_KEY })

// Of a real portal: its own number of what one person hands in, and the date until which it takes files.
const submissionId = `example-${Date.now()}`
const deadline = new Date(Date.now() + 7 * 86_400_000).toISOString()

const portal = Fastify()

portal.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page))

// A real portal asks here who is logged in, and whether the submission is theirs.
portal.post('/session', async () => {
  const callbackUrl = `${origin}/webhooks/songngan`
  await songngan.submissions.put(submissionId, { profile: 'teacher.K4', deadline, callbackUrl })
  const { token } = await songngan.sessions.create(submissionId, {
    subject: 'teacher-1',
    can: ['read', 'upload', 'seal'],
  })
  return { service: SONGNGAN_URL, token }
})

portal.register(async (webhooks) => {
  // The signature is over the bytes as they came: no parser goes before it.
  webhooks.removeAllContentTypeParsers()
  webhooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  webhooks.post('/webhooks/songngan', async (request, reply) => {
    const event = await verifyWebhook(request.body, request.headers, WEBHOOK_SECRET).catch((error) => {
      console.log(`refused: ${error.message}`)
    })
    if (event === undefined) return reply.code(401).send()
    // A real portal stores event.id, passes over those that it has already, and works after it has answered.
    console.log(`verified: ${event.type} ${event.data.submissionId} ${event.data.slot ?? ''}`)
    return reply.code(204).send()
  })
})

await portal.listen({ host: '127.0.0.1', port: PORT })
console.log(`Portal at ${origin}`)
