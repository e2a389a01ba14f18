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

/**
 * @param url `--url` of the command line; without it the address from HOST and PORT. Another machine gets API_KEY only:
 * never the key of the service that runs here.
 */
export function readSettings(env: Environment, url?: string): Settings {
  const base = serviceUrl(url ?? localAddress(env))
  if (!isOwnMachine(base)) {
    const apiKey = env['API_KEY']
    if (apiKey) return { base, apiKey, webhookSecret: undefined }
    throw new UsageError(`No API key for ${base.origin}: set API_KEY, best to a key of its own for load tests.`)
  }
  const kept = keptSecrets(env['DATA_DIR'])
  const apiKey = env['API_KEY'] || firstKey(env['API_KEYS']) || kept['apiKey']
  if (apiKey === undefined)
    throw new UsageError(
      'No API key: start the service with `npm start`, or set API_KEY, or DATA_DIR as for the service.',
    )
  const webhookSecret = env['WEBHOOK_SECRET']?.split(',')[0]?.trim() || kept['webhookSecret']
  return { base, apiKey, webhookSecret }
}

/** Throws UsageError unless it is an http or https URL without user and password. */
export function serviceUrl(text: string): URL {
  if (!URL.canParse(text)) throw new UsageError(`${text} is not a URL`)
  const url = new URL(text)
  if (!['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    throw new UsageError(`${text}: must be http or https, without user and password`)
  return url
}

/** Whether a URL names this machine itself; then no consent is asked for. */
export function isOwnMachine({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
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
