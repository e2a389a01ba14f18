// The service's own counters, from its operations listeners.

import { type Environment, isOwnMachine, serviceUrl } from '../lib/settings.ts'

/**
 * Of a service on this machine the default is OPS_HOST:OPS_PORT; of another one none: the listener here is not its own.
 *
 * @param given `--ops-url`: one or more, separated by commas
 */
export function opsUrls(env: Environment, base: URL, given: string | undefined): URL[] {
  if (given !== undefined) return given.split(',').map((url) => serviceUrl(url.trim()))
  if (!isOwnMachine(base)) return []
  return [serviceUrl(`http://${env['OPS_HOST'] || '127.0.0.1'}:${env['OPS_PORT'] || '9464'}`)]
}

/** `upload_bytes_received_total` over all listeners; null if one cannot be reached or has no such metric, or there is none. */
export async function receivedBytesTotal(ops: readonly URL[]): Promise<number | null> {
  const totals = await Promise.all(ops.map(receivedBytes))
  return totals.length === 0 ? null : totals.reduce((sum, one) => (sum === null || one === null ? null : sum + one), 0)
}

async function receivedBytes(ops: URL): Promise<number | null> {
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
