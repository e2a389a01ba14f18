// The service's own counters, from its operations listener.

import { type Environment, loopbackUrl } from '../lib/settings.ts'

export function opsUrl(env: Environment, given: string | undefined): URL {
  return loopbackUrl(given ?? `http://${env['OPS_HOST'] || '127.0.0.1'}:${env['OPS_PORT'] || '9464'}`)
}

/** `upload_bytes_received_total` over all processes; null if the listener cannot be reached or has no such metric. */
export async function receivedBytesTotal(ops: URL): Promise<number | null> {
  try {
    const response = await fetch(new URL('/metrics', ops), { signal: AbortSignal.timeout(5000) })
    return response.ok ? sumOf(await response.text(), 'upload_bytes_received_total') : null
  } catch {
    return null // no such listener: shown as unknown
  }
}

/** Adds up a metric's samples in the Prometheus text format; null if there is none. */
export function sumOf(text: string, metric: string): number | null {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(`${metric} `) || line.startsWith(`${metric}{`))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0)
}
