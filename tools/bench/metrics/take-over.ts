// A half-open connection: the server still waits on the old connection when the client returns on a new one. Measures the
// time until its bytes are acknowledged again, and how many of the earlier bytes are kept.

import { setTimeout as delay } from 'node:timers/promises'
import { create, type Endpoint, expectStatus, headHead, patchHead, uploadOffset } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import type { Figures, Measured, Metric } from '../model.ts'

const MIB = 1024 ** 2
const UPLOAD_BYTES = 64 * MIB
/** Not a multiple of the part size or of 1 MiB. */
const SENT_BYTES = 20 * MIB + 12_345
/** The server has read what was sent, and waits. */
const SILENCE_MS = 700
const RETRY_MS = 100
const GIVE_UP_MS = 20_000

export function takeOverMetric(options: { rounds: number }): Metric {
  return {
    name: 'take-over',
    title: 'Half-open connection, client comes back on a new one',
    note: 'from the new connection to the first acknowledged MiB on it; a refused request is tried again every 100 ms',
    figures: [
      { key: 'ms', label: 'ms', digits: 0, better: 'less', charted: true },
      { key: 'headMs', label: 'of it HEAD ms', digits: 0, better: 'less' },
      { key: 'keptPercent', label: 'bytes kept %', digits: 1, better: 'more' },
      { key: 'refusals', label: 'refusals', digits: 0, better: 'less' },
    ],
    rounds: options.rounds,
    limitMs: 90_000,
    suits: ({ kind, tickets }) => kind !== 'bare' && !tickets,
    async measure(running) {
      const { endpoint } = running
      const measured: Measured[] = [{ variant: 'same process', figures: await takeOver(endpoint, endpoint) }]
      // Only Songngan supports several processes on the same data.
      if (running.contender.kind === 'songngan')
        measured.push({
          variant: 'other process',
          figures: await takeOver(endpoint, await running.another()),
        })
      return measured
    },
  }
}

async function takeOver(first: Endpoint, second: Endpoint): Promise<Figures> {
  const dead = await Wire.open(first.port)
  try {
    const path = await create(dead, first, UPLOAD_BYTES)
    dead.send(patchHead(first, path, 0, UPLOAD_BYTES))
    await dead.pour(SENT_BYTES)
    await delay(SILENCE_MS)
    return await comeBack(second, path)
  } finally {
    dead.close()
  }
}

async function comeBack(endpoint: Endpoint, path: string): Promise<Figures> {
  const begunMs = performance.now()
  let refusals = 0
  let headMs = 0
  while (performance.now() - begunMs < GIVE_UP_MS) {
    const wire = await Wire.open(endpoint.port)
    try {
      wire.send(headHead(endpoint, path))
      const head = await wire.answer('HEAD', GIVE_UP_MS)
      expectStatus(head, 200, 'HEAD')
      headMs = performance.now() - begunMs
      const offset = uploadOffset(head)
      wire.send(patchHead(endpoint, path, offset, MIB))
      await wire.pour(MIB)
      expectStatus(await wire.answer('PATCH', GIVE_UP_MS), 204, 'PATCH')
      return {
        ms: performance.now() - begunMs,
        headMs,
        keptPercent: (100 * offset) / SENT_BYTES,
        refusals,
      }
    } catch {
      // Locked, another offset, or disconnected by the server: a client sends HEAD again.
      refusals++
    } finally {
      wire.close()
    }
    await delay(RETRY_MS)
  }
  throw new Error(`no byte was acknowledged within ${GIVE_UP_MS} ms`)
}
