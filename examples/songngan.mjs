// What the examples in Node share: where the service is, its secrets, and `@songngan/client`. Everything can be set in the environment;
// the defaults are those of `npm start` on this machine.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const { env } = process
const secrets = join(env.DATA_DIR || join(import.meta.dirname, '../data'), 'secrets.json')
const made = existsSync(secrets) ? JSON.parse(readFileSync(secrets, 'utf8')) : {}

export const SONGNGAN_URL = env.SONGNGAN_URL || 'http://127.0.0.1:8080'
export const API_KEY = env.API_KEY || made.apiKey
export const WEBHOOK_SECRET = env.WEBHOOK_SECRET || made.webhookSecret

/** Of the example. `npm start` takes calls from pages at port 3000 of this machine; others stand in CORS_ORIGINS. */
export const PORT = Number(env.PORTAL_PORT || 3000)

/** The module that the service serves. A portal installs the same with npm (`tarball.url` in GET /client), and imports it by its name. */
async function client() {
  const response = await fetch(`${SONGNGAN_URL}/client/0.1/client.js`).catch(() => undefined)
  if (response?.ok) return await import(`data:text/javascript,${encodeURIComponent(await response.text())}`)
  console.error(`No Songngan at ${SONGNGAN_URL}. Run \`npm start\` in another terminal, or set SONGNGAN_URL.`)
  process.exit(1)
}

export const { Songngan, verifyWebhook } = await client()
