// Small requests over 32 keep-alive connections: POST, POST with a complete 1 KiB file, PATCH of 1 MiB, HEAD.

import { type FloodResult, flood } from '../client/flood.ts'
import { create, type Endpoint, expectStatus, headHead, patchHead, postHead, uploadOffset } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Figures, Metric } from '../model.ts'
import type { Running } from '../servers/running.ts'
import { ticketEndpoints } from '../servers/tickets.ts'
import { requestCost } from './request-cost.ts'

const CONNECTIONS = 32
const MAX_REQUESTS = 60_000
const KIB = 1024
const MIB = 1024 ** 2
/** Upload length that the PATCHes of a window never reach. Space is reserved for the length of every unfinished upload. */
const LONG_BYTES = 256 * MIB
/** Length of the tens of thousands of uploads that are only created. */
const CREATED_BYTES = 64 * 1024
/** The warm-up is this many times as long as the measurement, because a service runs for days with compiled code. */
const WARM_UP = 2
/** Number of submissions: with few of them, each POST would read growing lists of uploads. */
const SUBMISSIONS = 1024

export const RATES = ['post', 'post-1k', 'patch-1m', 'head'] as const
export type RateName = (typeof RATES)[number]

const LABELS: Record<RateName, string> = {
  post: 'POST/s',
  'post-1k': 'POST+1KiB/s',
  'patch-1m': 'PATCH 1MiB/s',
  head: 'HEAD/s',
}

const isPost = (name: RateName) => name.startsWith('post')

type Round = (endpoints: Endpoint[], seconds: number) => Promise<FloodResult>

const FLOODS: Record<RateName, Round> = {
  post: (endpoints, seconds) => posts(endpoints, seconds, CREATED_BYTES, 0),
  'post-1k': (endpoints, seconds) => posts(endpoints, seconds, KIB, KIB),
  'patch-1m': patches,
  head: heads,
}

export function ratesMetric(options: { names: readonly RateName[]; seconds: number; rounds: number }): Metric {
  const { names, seconds, rounds } = options
  return {
    name: 'rates',
    title: `Requests per second, ${CONNECTIONS} connections`,
    note: '“µs” is CPU time of server and Redis per request; every POST of 1 KiB is a whole file, stored and recorded; a PATCH never finishes its upload',
    figures: [
      ...names.map((key) => ({ key, label: LABELS[key], digits: 0, better: 'more' as const, charted: true })),
      ...names.map((key) => ({
        key: `${key}-cpu`,
        label: `${key} µs`,
        digits: 0,
        better: 'less' as const,
      })),
    ],
    rounds,
    limitMs: 60_000 + names.length * seconds * 10_000,
    // Only a POST checks more of a ticket than its signature.
    suits: ({ tickets }) => !tickets || names.some(isPost),
    measure: async (running) => {
      const endpoints = running.contender.tickets
        ? await ticketEndpoints(running.endpoint, SUBMISSIONS)
        : [running.endpoint]
      await posts(endpoints, seconds * WARM_UP, CREATED_BYTES, 0)
      await running.age()
      const figures: Figures = {}
      const suited = running.contender.tickets ? names.filter(isPost) : names
      for (const name of suited) Object.assign(figures, await rate(running, endpoints, name, seconds))
      return [{ figures }]
    },
  }
}

async function rate(running: Running, endpoints: Endpoint[], name: RateName, seconds: number): Promise<Figures> {
  await FLOODS[name](endpoints, seconds * WARM_UP)
  const { result, cpuMicroseconds } = await requestCost(running, () => FLOODS[name](endpoints, seconds))
  return { [name]: result.requests / result.seconds, [`${name}-cpu`]: cpuMicroseconds }
}

/** The endpoint (that is, the ticket) for the nth request. */
function pick(endpoints: Endpoint[], nth: number): Endpoint {
  const endpoint = endpoints[nth % endpoints.length]
  if (endpoint === undefined) throw new Error('no endpoint is given')
  return endpoint
}

function posts(endpoints: Endpoint[], seconds: number, lengthBytes: number, bodyBytes: number) {
  const heads = endpoints.map((endpoint) => postHead(endpoint, lengthBytes, bodyBytes))
  return flood({
    port: pick(endpoints, 0).port,
    connections: CONNECTIONS,
    seconds,
    maxRequests: MAX_REQUESTS,
    send(wire, nth) {
      wire.send(heads[nth % heads.length] ?? '')
      if (bodyBytes > 0) wire.sendPayload(bodyBytes)
      return 'POST'
    },
    accept: (response) => expectStatus(response, 201, 'POST'),
  })
}

/** Every connection continues its own upload. */
async function patches(endpoints: Endpoint[], seconds: number) {
  const uploads = await createSome(endpoints, CONNECTIONS, LONG_BYTES)
  return await flood({
    port: pick(endpoints, 0).port,
    connections: CONNECTIONS,
    seconds,
    maxRequests: MAX_REQUESTS,
    send(wire, _, lane) {
      const { endpoint, path, offset } = at(uploads, lane)
      wire.send(patchHead(endpoint, path, offset, MIB))
      wire.sendPayload(MIB)
      return 'PATCH'
    },
    accept(response, lane) {
      expectStatus(response, 204, 'PATCH')
      at(uploads, lane).offset = uploadOffset(response)
    },
  })
}

async function heads(endpoints: Endpoint[], seconds: number) {
  const uploads = await createSome(endpoints, CONNECTIONS, MIB)
  const texts = uploads.map(({ endpoint, path }) => headHead(endpoint, path))
  return await flood({
    port: pick(endpoints, 0).port,
    connections: CONNECTIONS,
    seconds,
    maxRequests: MAX_REQUESTS,
    send(wire, nth) {
      wire.send(texts[nth % texts.length] ?? '')
      return 'HEAD'
    },
    accept: (response) => expectStatus(response, 200, 'HEAD'),
  })
}

type Upload = { endpoint: Endpoint; path: string; offset: number }

async function createSome(endpoints: Endpoint[], count: number, lengthBytes: number): Promise<Upload[]> {
  const wire = await Wire.open(pick(endpoints, 0).port)
  try {
    const uploads: Upload[] = []
    for (let i = 0; i < count; i++) {
      const endpoint = pick(endpoints, i)
      uploads.push({ endpoint, path: await create(wire, endpoint, lengthBytes), offset: 0 })
    }
    return uploads
  } finally {
    wire.close()
  }
}

function at(uploads: Upload[], lane: number): Upload {
  const upload = uploads[lane]
  if (upload === undefined) throw new Error(`lane ${lane} has no upload`)
  return upload
}
