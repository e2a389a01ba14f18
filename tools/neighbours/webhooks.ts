// One portal's webhook receiver never answers; another portal's webhooks must still be delivered in time.

import { pdfBytes } from '../../test/support/media/pdfs.ts'
import { startReceiver } from '../../test/support/receiver.ts'
import type { Line } from '../neighbours.ts'
import type { NeighboursArgs } from './args.ts'
import { p95, pause, type Stage } from './stage.ts'

const GOAL_MS = 5000
const HONEST = 10

export async function measureWebhooks(stage: Stage, { hooks }: NeighboursArgs): Promise<Line[]> {
  const receiver = await startReceiver()
  receiver.reply = ({ path }) => (path === '/dead' ? new Promise<never>(() => undefined) : { status: 204 })
  const plan = new Uint8Array(pdfBytes())
  const send = async (who: 'honest' | 'hostile', path: string, i: number) =>
    await stage.send(who, `${path} ${i}`, plan, { callbackUrl: `${receiver.url}${path}` })
  try {
    for (let i = 0; i < hooks; i++) await send('hostile', '/dead', i)
    for (let i = 0; i < HONEST; i++) {
      await stage.verdict('honest', await send('honest', '/alive', i))
      await pause(500)
    }
    await pause(GOAL_MS)
    const waits = receiver.deliveries
      .filter(({ path }) => path === '/alive')
      .map(({ atMs, body }) => atMs - Date.parse((JSON.parse(body) as { timestamp: string }).timestamp))
    // Each file has at least two events; an event not delivered by now counts as later than all others.
    const missing = Array.from({ length: Math.max(0, 2 * HONEST - waits.length) }, () => Number.POSITIVE_INFINITY)
    return [{ what: 'webhook p95', beside: p95([...waits, ...missing]), goal: GOAL_MS, unit: 'ms' }]
  } finally {
    await receiver.close()
  }
}
