// Address of the running service and credentials of a portal: from the environment, or from the files of `npm start`.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from './usage.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export type Settings = {
  base: URL
  apiKey: string
  /** Secret of webhook signatures; undefined if it is not known here. */
  webhookSecret: string | undefined
}

/** @param url `--url` of the command line; without it the address from HOST and PORT. */
export function readSettings(env: Environment, url?: string): Settings {
  const kept = keptSecrets(env['DATA_DIR'])
  const apiKey = env['API_KEY'] || firstKey(env['API_KEYS']) || kept['apiKey']
  if (apiKey === undefined)
    throw new UsageError(
      'No API key: start the service with `npm start`, or set API_KEY, or DATA_DIR as for the service.',
    )
  const webhookSecret = env['WEBHOOK_SECRET']?.split(',')[0]?.trim() || kept['webhookSecret']
  return { base: loopbackUrl(url ?? localAddress(env)), apiKey, webhookSecret }
}

/** These tools create load and use plain HTTP, so they accept only addresses of this machine. */
export function loopbackUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${text} is not a URL`)
  const url = new URL(text)
  const own = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'http:' || !own)
    throw new UsageError(`${text}: must be http on this machine (127.0.0.1, localhost, [::1])`)
  return url
}

function localAddress(env: Environment): string {
  const host = env['HOST'] || '127.0.0.1'
  const open = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${open.includes(':') ? `[${open}]` : open}:${env['PORT'] || '8080'}`
}

function firstKey(keys: string | undefined): string | undefined {
  const first = keys?.split(',')[0] ?? ''
  return first.slice(first.indexOf(':') + 1).trim() || undefined
}

function keptSecrets(dataDir: string | undefined): Record<string, string | undefined> {
  if (dataDir === undefined || dataDir === '') return {}
  try {
    return JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>
  } catch {
    return {} // not started by `npm start`: only the environment is used
  }
}
