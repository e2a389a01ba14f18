import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../../src/core/config.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { openTracing } from '../../../src/core/tracing.ts'
import { type Collector, startCollector } from '../../support/collector.ts'
import { freePort } from '../../support/http.ts'

const SERVICE = { name: 'songngan', instance: 'here:1' }
/** A batch is sent at once when it is full. */
const BATCH = 512
const UNSAMPLED = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'

let collector: Collector
let lines: { msg: string; lost?: number }[]

beforeEach(async () => {
  collector = await startCollector()
  lines = []
})
afterEach(() => collector.close())

async function open(endpoint: string, env: Record<string, string> = {}) {
  const { tracing } = loadConfig({
    REDIS_URL: 'redis://127.0.0.1:1',
    TICKET_SECRET: 'a secret for tests that is long enough',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    ...env,
  })
  const logger = createLogger({ name: 'test', level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
  return await openTracing(tracing, SERVICE, logger)
}

const start = { kind: 'internal', parent: undefined } as const

describe('traces', () => {
  test('are off without a collector, and then nothing of OpenTelemetry is loaded but its names', async () => {
    const program = `
      import { createRequire } from 'node:module'
      import { openTracing } from './src/core/tracing.ts'
      const settings = process.argv[1] === '' ? undefined : { endpoint: process.argv[1], headers: {}, resource: {}, sampler: 'always_on', ratio: 1 }
      const tracing = await openTracing(settings, { name: 'x', instance: 'y' }, console)
      const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('@opentelemetry/sdk-trace/'))
      console.log(JSON.stringify({ on: tracing.on, traceparent: tracing.start('a', { kind: 'internal', parent: undefined }).traceparent, loaded }))
      process.exit(0)
    `
    const run = async (endpoint: string) => {
      const flags = ['--import', 'tsx', '--input-type=module', '-e', program, endpoint]
      return JSON.parse((await promisify(execFile)(process.execPath, flags)).stdout)
    }
    expect(await run('')).toEqual({ on: false, loaded: false })
    expect(await run('http://127.0.0.1:1')).toMatchObject({ on: true, loaded: true })
  })

  test.each([
    [{}, [true, false]],
    [{ OTEL_TRACES_SAMPLER: 'always_on' }, [true, true]],
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, [false, false]],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, [false, false]],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, [false, false]],
    [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' }, [true, true]],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '1' }, [true, false]],
  ])('%j records [its own trace, one that others do not record]: %j', async (env, recorded) => {
    const tracing = await open(collector.url, env)
    const spans = [tracing.start('own', start), tracing.start('others', { ...start, parent: UNSAMPLED })]
    for (const span of spans) span.end()
    await tracing.close()
    expect(spans.map(({ traceparent }) => traceparent?.endsWith('-01'))).toEqual(recorded)
    const names = ['own', 'others'].filter((_, i) => recorded[i])
    expect(collector.spans.map(({ name }) => name)).toEqual(names)
  })

  test('have the configured name and attributes, and reach the collector below its address', async () => {
    const tracing = await open(`${collector.url}/otel/`, {
      OTEL_SERVICE_NAME: 'intake',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=stage,host.name=a%2Cb',
    })
    tracing.start('a', start).end('SLOT_FULL')
    await tracing.close()
    expect(collector.requests.map(({ path }) => path)).toEqual(['/otel/v1/traces'])
    expect(collector.spans).toMatchObject([
      { service: 'intake', failed: true, attributes: { 'error.type': 'SLOT_FULL' } },
    ])
    const body = collector.requests[0]?.body ?? ''
    expect(body).toContain('"deployment.environment.name"')
    expect(body).toContain('"a,b"')
  })

  test('a collector that refuses everything costs one log line, and spans', async () => {
    let refused = 0
    const server = createServer((request, response) => {
      refused++
      request.resume().on('end', () => response.writeHead(400).end())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const tracing = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    for (let batch = 1; batch <= 3; batch++) {
      for (let i = 0; i < BATCH; i++) tracing.start('a', start).end()
      await expect.poll(() => refused, { timeout: 60_000 }).toBe(batch)
    }
    await tracing.close()
    server.close()
    server.closeAllConnections()
    expect(lines).toMatchObject([
      { level: 'warn', lost: BATCH, msg: 'traces: the collector does not take spans; they are lost' },
    ])
  })

  test('a collector that is not there keeps nobody from closing', async () => {
    const tracing = await open(`http://127.0.0.1:${await freePort()}`)
    tracing.start('a', start).end()
    await tracing.close()
    expect(lines.map(({ msg }) => msg)).toEqual(['traces: the collector did not take the last spans in time'])
  })
})
