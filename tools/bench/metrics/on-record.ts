// Whether POST and HEAD cost more with more uploads: the same requests with 10^3, 10^4, 10^5 unfinished uploads stored.

import { type FloodOptions, flood } from '../client/flood.ts'
import { type Endpoint, expectStatus, headHead, postHead } from '../client/tus.ts'
import type { Figures, Measured, Metric } from '../model.ts'
import type { Running } from '../servers/running.ts'
import { requestCost } from './request-cost.ts'
import { createSeeder } from './seed.ts'

const CONNECTIONS = 8
const MAX_REQUESTS = 20_000
const WARM_UP_SECONDS = 0.5

export function onRecordMetric(options: { levels: readonly number[]; seconds: number }): Metric {
  const { levels, seconds } = options
  return {
    name: 'on-record',
    title: 'Cost of a request with many uploads on record',
    note: `CPU time of server and Redis per request, median time of ${CONNECTIONS} connections; the uploads are unfinished ones, in Redis and in the object store`,
    figures: [
      { key: 'post', label: 'POST µs', digits: 0, better: 'less' },
      { key: 'postMs', label: 'POST ms', digits: 2, better: 'less' },
      { key: 'head', label: 'HEAD µs', digits: 0, better: 'less' },
      { key: 'headMs', label: 'HEAD ms', digits: 2, better: 'less' },
    ],
    rounds: 1,
    limitMs: 120_000,
    suits: ({ kind, store, tickets }) => kind === 'songngan' && store === 'local' && !tickets,
    measure: (running) => measure(running, levels, seconds),
  }
}

async function measure(running: Running, levels: readonly number[], seconds: number): Promise<Measured[]> {
  const { endpoint, redisUrl, dir } = running
  if (redisUrl === undefined) throw new Error('only servers that use the bench’s own Redis can be seeded')
  const seeder = await createSeeder(redisUrl, dir)
  const measured: Measured[] = []
  const known: string[] = []
  try {
    await flood(posts(endpoint, WARM_UP_SECONDS))
    for (const level of levels) {
      const before = Number(measured.length === 0 ? 0 : levels[measured.length - 1])
      known.push(...(await seeder.add(level - before)))
      measured.push({ variant: `${level}`, figures: await cost(running, known, seconds) })
    }
    return measured
  } finally {
    seeder.close()
  }
}

async function cost(running: Running, known: string[], seconds: number): Promise<Figures> {
  const { endpoint } = running
  const post = await requestCost(running, () => flood(posts(endpoint, seconds)))
  const head = await requestCost(running, () => flood(heads(endpoint, known, seconds)))
  return {
    post: post.cpuMicroseconds,
    postMs: post.result.medianMs,
    head: head.cpuMicroseconds,
    headMs: head.result.medianMs,
  }
}

function posts(endpoint: Endpoint, seconds: number): FloodOptions {
  const text = postHead(endpoint, 1024 ** 2)
  return {
    port: endpoint.port,
    connections: CONNECTIONS,
    seconds,
    maxRequests: MAX_REQUESTS,
    send(wire) {
      wire.send(text)
      return 'POST'
    },
    accept: (response) => expectStatus(response, 201, 'POST'),
  }
}

function heads(endpoint: Endpoint, ids: string[], seconds: number): FloodOptions {
  const texts = ids.map((id) => headHead(endpoint, `${endpoint.path}${id}`))
  return {
    port: endpoint.port,
    connections: CONNECTIONS,
    seconds,
    maxRequests: MAX_REQUESTS,
    send(wire, nth) {
      wire.send(texts[nth % texts.length] ?? '')
      return 'HEAD'
    },
    accept: (response) => expectStatus(response, 200, 'HEAD'),
  }
}
