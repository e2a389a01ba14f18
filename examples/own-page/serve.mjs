// The portal of the examples that have a page of their own: it serves the page, sessions for it, and receives webhooks, as that of
// portal-fastify does.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import Fastify from 'fastify'
import { API_KEY, PORT, SONGNGAN_URL, Songngan, verifyWebhook, WEBHOOK_SECRET } from '../songngan.mjs'

/** Starts it. `folder`: where page.js is, which is bundled with the packages that it imports. */
export async function servePage(folder) {
  const origin = `http://127.0.0.1:${PORT}`
  const songngan = new Songngan({ url: SONGNGAN_URL, token: API_KEY })
  const submissionId = `example-${Date.now()}`
  const deadline = new Date(Date.now() + 7 * 86_400_000).toISOString()
  const portal = Fastify()

  const entryPoints = [join(folder, 'page.js')]
  const { outputFiles } = await build({ entryPoints, bundle: true, write: false, format: 'esm', target: 'es2022' })
  const page = await readFile(new URL('page.html', import.meta.url))
  portal.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page))
  portal.get('/page.js', (_request, reply) => reply.type('text/javascript').send(outputFiles[0].text))

  portal.post('/session', async () => {
    const callbackUrl = `${origin}/webhooks/songngan`
    await songngan.submissions.put(submissionId, { profile: 'teacher.K4', deadline, callbackUrl })
    const { token } = await songngan.sessions.create(submissionId, { subject: 'teacher-1' })
    return { service: SONGNGAN_URL, submissionId, token }
  })

  portal.register(async (webhooks) => {
    webhooks.removeAllContentTypeParsers()
    webhooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    webhooks.post('/webhooks/songngan', async (request, reply) => {
      const event = await verifyWebhook(request.body, request.headers, WEBHOOK_SECRET).catch((error) => {
        console.log(`refused: ${error.message}`)
      })
      if (event === undefined) return reply.code(401).send()
      console.log(`verified: ${event.type} ${event.data.submissionId} ${event.data.slot ?? ''}`)
      return reply.code(204).send()
    })
  })

  await portal.listen({ host: '127.0.0.1', port: PORT })
  console.log(`Portal at ${origin}`)
}
