// Number of S3 calls of an uninterrupted upload of 4 MiB and of 100 MB, and of a HEAD.

import { waitFor } from '../../../test/support/http.ts'
import type { HttpProxy } from '../../../test/support/http-proxy.ts'
import { create, offsetOf, patch, upload } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Figures, Metric } from '../model.ts'
import type { Running } from '../servers/running.ts'

const SMALL_BYTES = 4 * 1024 ** 2
const LARGE_BYTES = 100 * 1000 ** 2
/** Servers complete uploads after their response: calls are counted until there was none for this time. */
const QUIET_MS = 700
const QUIET_WITHIN_MS = 15_000
/** While uploads are created, Songngan checks its bucket at most once per second. */
const IS_WATCH = /\/probe\/reachable$/

export function s3CallsMetric(): Metric {
  return {
    name: 's3-calls',
    title: 'Calls to S3',
    note: 'counted by a proxy in front of the S3 server, until nothing more is called; HEAD: of an upload with 1 MiB stored',
    figures: [
      { key: 'small', label: 'calls for 4 MiB', digits: 0, better: 'less', charted: true },
      { key: 'large', label: 'calls for 100 MB', digits: 0, better: 'less', charted: true },
      { key: 'head', label: 'calls for HEAD', digits: 0, better: 'less' },
    ],
    rounds: 1,
    limitMs: 120_000,
    suits: ({ store, tickets }) => store === 's3' && !tickets,
    countsCalls: true,
    measure: async (running) => [{ figures: await measure(running) }],
  }
}

async function measure(running: Running): Promise<Figures> {
  const { endpoint, proxy } = running
  if (proxy === undefined) throw new Error('S3 calls can only be counted through the proxy')
  // Calls that happen once per process are made now.
  await upload(endpoint, SMALL_BYTES)
  const small = await calls(proxy, () => upload(endpoint, SMALL_BYTES))
  const large = await calls(proxy, () => upload(endpoint, LARGE_BYTES))
  const path = await begun(running)
  const head = await calls(proxy, () => offsetOf(endpoint, path))
  return { small, large, head }
}

/** An upload of which 1 MiB is stored. */
async function begun({ endpoint }: Running): Promise<string> {
  const wire = await Wire.open(endpoint.port)
  try {
    const path = await create(wire, endpoint, LARGE_BYTES)
    await patch(wire, endpoint, { path, offset: 0 }, 1024 ** 2)
    return path
  } finally {
    wire.close()
  }
}

/** Calls that `work` causes, during and after it. */
async function calls(proxy: HttpProxy, work: () => Promise<unknown>): Promise<number> {
  await quiet(proxy)
  const before = proxy.calls.length
  await work()
  await quiet(proxy)
  return proxy.calls.slice(before).filter(({ url }) => !IS_WATCH.test(url)).length
}

async function quiet(proxy: HttpProxy): Promise<void> {
  let seen = proxy.calls.length
  let sinceMs = performance.now()
  const isQuiet = () => {
    if (proxy.calls.length !== seen || proxy.calls.some(({ status }) => status === undefined)) {
      seen = proxy.calls.length
      sinceMs = performance.now()
    }
    return performance.now() - sinceMs >= QUIET_MS
  }
  await waitFor(isQuiet, { timeoutMs: QUIET_WITHIN_MS, intervalMs: 50, what: 'the calls to S3 to cease' })
}
