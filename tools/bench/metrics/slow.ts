// Many slow clients and one fast client: memory, bytes of all clients, time of the fast one.

import { setTimeout as delay } from 'node:timers/promises'
import { create, headHead, patchHead, upload, uploadOffset } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Figures, Metric } from '../model.ts'
import { forgetPeak, treeMemory } from '../proc.ts'
import type { Running } from '../servers/running.ts'

const KIB = 1024
const MIB = 1024 ** 2
const BYTES_PER_SECOND = 4 * KIB
/** Far more than a slow client sends here. */
const UPLOAD_BYTES = 16 * MIB
const HELPERS = 32
/** Clients write in this many turns per second, so that they do not write all at the same time. */
const TURNS_PER_SECOND = 20
const FAST_LIMIT_MS = 30_000
/** Number of clients whose offset is read afterwards, spread over all, and the time limit for it. */
const ASKED = 400
const ASK_WITHIN_MS = 20_000
const SETTLE_MS = 1000

export type SlowOptions = { clients: number; seconds: number; fastBytes: number; rounds: number }

export function slowMetric(options: SlowOptions): Metric {
  const { clients, seconds, fastBytes, rounds } = options
  return {
    name: 'slow',
    title: `${clients} clients at ${BYTES_PER_SECOND / KIB} KiB/s for ${seconds} s`,
    note: `then all their lines are cut and ${Math.min(ASKED, clients)} of them ask within ${ASK_WITHIN_MS / 1000} s what is kept; the fast upload is ${fastBytes / MIB} MiB, its factor is against the same alone`,
    figures: [
      { key: 'peakMib', label: 'peak RSS MiB', digits: 0, better: 'less', charted: true },
      { key: 'cpuPercent', label: 'CPU %', digits: 0, better: 'less' },
      { key: 'fastFactor', label: 'fast upload ×', digits: 2, better: 'less' },
      { key: 'connected', label: 'connected', digits: 0, better: 'more' },
      { key: 'answeredPercent', label: 'answered %', digits: 0, better: 'more' },
      { key: 'keptPercent', label: 'kept %', digits: 1, better: 'more' },
      { key: 'leastPercent', label: 'least %', digits: 1, better: 'more' },
    ],
    rounds,
    limitMs: 180_000,
    suits: ({ kind, tickets }) => kind !== 'bare' && !tickets,
    measure: async (running) => [{ figures: await measure(running, options) }],
  }
}

type Client = { wire: Wire; path: string; sentBytes: number }

async function measure(running: Running, { clients: count, seconds, fastBytes }: SlowOptions): Promise<Figures> {
  const { endpoint, pid } = running
  await upload(endpoint, fastBytes)
  const alone = (await upload(endpoint, fastBytes)).seconds
  await running.age()
  const clients = await connectAll(running, count)
  const stop = dribble(clients)
  try {
    forgetPeak(pid)
    const before = (await running.usage()).server
    const begunMs = performance.now()
    await delay((seconds * 1000) / 2)
    const half = (await running.usage()).server
    const halfSeconds = (performance.now() - begunMs) / 1000
    // A server on which it does not finish in time, or cannot start, has no factor.
    const beside = await upload(endpoint, fastBytes, FAST_LIMIT_MS).catch(() => null)
    await delay(Math.max(0, begunMs + seconds * 1000 - performance.now()))
    const { peakBytes } = treeMemory(pid)
    const cpu = half.user + half.kernel - before.user - before.kernel
    return {
      peakMib: peakBytes / MIB,
      cpuPercent: (100 * cpu) / halfSeconds,
      fastFactor: beside === null ? null : beside.seconds / alone,
      connected: clients.filter(({ wire }) => !wire.broken).length,
      ...(await kept(running, clients, stop)),
    }
  } finally {
    stop()
    for (const { wire } of clients) wire.close()
  }
}

/** Runs `work` for 0…count-1 with limited concurrency, each with its own connection. */
async function share(running: Running, count: number, work: (wire: Wire, nth: number) => Promise<void>) {
  const { port } = running.endpoint
  let next = 0
  const help = async () => {
    let wire = await Wire.open(port)
    try {
      while (next < count) {
        const nth = next++
        if (wire.broken) wire = await Wire.open(port)
        await work(wire, nth)
      }
    } finally {
      wire.close()
    }
  }
  await Promise.all(Array.from({ length: Math.min(HELPERS, count) }, help))
}

async function connectAll(running: Running, count: number): Promise<Client[]> {
  const { endpoint } = running
  const clients: Client[] = []
  await share(running, count, async (helper) => {
    const path = await create(helper, endpoint, UPLOAD_BYTES)
    const wire = await Wire.open(endpoint.port)
    wire.send(patchHead(endpoint, path, 0, UPLOAD_BYTES))
    clients.push({ wire, path, sentBytes: 0 })
  })
  return clients
}

/** Every client sends its bytes of one second at once, once per second. Returns a function that ends it. */
function dribble(clients: Client[]): () => void {
  let turn = 0
  const timer = setInterval(() => {
    for (let i = turn; i < clients.length; i += TURNS_PER_SECOND) {
      const client = clients[i]
      if (client === undefined || client.wire.broken) continue
      client.wire.sendPayload(BYTES_PER_SECOND)
      client.sentBytes += BYTES_PER_SECOND
    }
    turn = (turn + 1) % TURNS_PER_SECOND
  }, 1000 / TURNS_PER_SECOND)
  return () => clearInterval(timer)
}

/** Cuts all connections and reads what the server has kept. */
async function kept(running: Running, clients: Client[], stop: () => void): Promise<Figures> {
  const { endpoint } = running
  stop()
  // Waits until sent bytes have arrived.
  await delay(SETTLE_MS)
  for (const { wire } of clients) wire.close()
  await delay(SETTLE_MS)
  const count = Math.min(ASKED, clients.length)
  const giveUpMs = performance.now() + ASK_WITHIN_MS
  const shares: number[] = []
  const ask = async (wire: Wire, nth: number) => {
    const client = clients[Math.floor((nth * clients.length) / count)]
    const leftMs = giveUpMs - performance.now()
    if (client === undefined || leftMs <= 0) return
    wire.send(headHead(endpoint, client.path))
    const offset = await wire.answer('HEAD', leftMs).then(uploadOffset)
    if (Number.isFinite(offset)) shares.push(offset / client.sentBytes)
  }
  // Out of time, or the server accepts no more connections: the rest counts as not answered.
  await share(running, count, ask).catch(() => null)
  const sum = shares.reduce((total, one) => total + one, 0)
  return {
    answeredPercent: (100 * shares.length) / count,
    keptPercent: shares.length === 0 ? null : (100 * sum) / shares.length,
    leastPercent: shares.length === 0 ? null : 100 * Math.min(...shares),
  }
}
