// Many clients on bad lines, and one on a good line beside them: memory, everybody's progress, the fast one's time.

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
/** Clients write in turns, so many turns in a second: a crowd has no common clock. */
const TURNS_PER_SECOND = 20
const HEADS_WITHIN_MS = 20_000

export function slowMetric(options: {
  clients: number
  seconds: number
  fastBytes: number
  rounds: number
}): Metric {
  const { clients, seconds, fastBytes, rounds } = options
  return {
    name: 'slow',
    title: `${clients} clients at ${BYTES_PER_SECOND / KIB} KiB/s for ${seconds} s`,
    note: `“acknowledged” is what HEAD says of every client's bytes while it still sends; the fast upload is ${fastBytes / MIB} MiB, its factor is against the same alone`,
    figures: [
      { key: 'peakMib', label: 'peak RSS MiB', digits: 0, better: 'less', charted: true },
      { key: 'progressing', label: 'clients with progress', digits: 0, better: 'more' },
      { key: 'acknowledgedPercent', label: 'acknowledged %', digits: 1, better: 'more' },
      { key: 'leastPercent', label: 'least %', digits: 1, better: 'more' },
      { key: 'fastFactor', label: 'fast upload ×', digits: 2, better: 'less' },
      { key: 'cpuPercent', label: 'CPU %', digits: 0, better: 'less' },
    ],
    rounds,
    limitMs: 60_000 + seconds * 1000 + HEADS_WITHIN_MS * 3,
    suits: ({ kind, tickets }) => kind !== 'bare' && !tickets,
    measure: async (running) => [{ figures: await measure(running, options) }],
  }
}

type Client = { wire: Wire; path: string; sentBytes: number }

async function measure(
  running: Running,
  { clients: count, seconds, fastBytes }: { clients: number; seconds: number; fastBytes: number },
): Promise<Figures> {
  const { endpoint, pid } = running
  await upload(endpoint, fastBytes)
  const alone = (await upload(endpoint, fastBytes)).seconds
  await running.age()
  const clients = await connectAll(running, count)
  try {
    forgetPeak(pid)
    const before = (await running.usage()).server
    const begunMs = performance.now()
    const stop = dribble(clients)
    await delay((seconds * 1000) / 2)
    const half = (await running.usage()).server
    const halfSeconds = (performance.now() - begunMs) / 1000
    const beside = (await upload(endpoint, fastBytes)).seconds
    await delay(Math.max(0, begunMs + seconds * 1000 - performance.now()))
    const { peakBytes } = treeMemory(pid)
    const shares = await acknowledged(running, clients)
    stop()
    const cpu = half.user + half.kernel - before.user - before.kernel
    return {
      peakMib: peakBytes / MIB,
      progressing: shares.filter((share) => share > 0).length,
      acknowledgedPercent: (100 * shares.reduce((sum, share) => sum + share, 0)) / count,
      leastPercent: 100 * Math.min(...shares),
      fastFactor: beside / alone,
      cpuPercent: (100 * cpu) / halfSeconds,
    }
  } finally {
    for (const { wire } of clients) wire.close()
  }
}

/** Runs `work` for 0…count-1 by a few helpers, each with a connection of its own. */
async function share(running: Running, count: number, work: (wire: Wire, nth: number) => Promise<void>) {
  let next = 0
  const help = async () => {
    let wire = await Wire.open(running.endpoint.port)
    try {
      while (next < count) {
        const nth = next++
        if (wire.broken) wire = await Wire.open(running.endpoint.port)
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

/** Every client sends its bytes of one second in one go, once a second. Returns what ends it. */
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

/** What HEAD acknowledges of each client's bytes, 0 to 1; 0 where nothing is said in time. */
async function acknowledged(running: Running, clients: Client[]): Promise<number[]> {
  const { endpoint } = running
  const giveUpMs = performance.now() + HEADS_WITHIN_MS
  const shares = clients.map(() => 0)
  await share(running, clients.length, async (wire, nth) => {
    const client = clients[nth]
    const leftMs = giveUpMs - performance.now()
    if (client === undefined || leftMs <= 0) return
    const { sentBytes } = client
    wire.send(headHead(endpoint, client.path))
    const offset = await wire.answer('HEAD', leftMs).then(uploadOffset, () => {
      // Too late, or cut: this connection may still bring the answer of another upload.
      wire.close()
      return 0
    })
    // A client goes on while it is asked about: an answer may already count more.
    if (sentBytes > 0 && Number.isFinite(offset)) shares[nth] = Math.min(1, offset / sentBytes)
  })
  return shares
}
