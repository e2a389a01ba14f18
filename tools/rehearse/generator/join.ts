// `npm run rehearse -- --join HOST:PORT`: a generator for a coordinator on another machine. It asks the service for consent
// itself, and keeps the service's limits, whatever the coordinator orders.

import { once } from 'node:events'
import { consentOf } from '../../lib/consent.ts'
import { bytesPerSecondWithin, limitsInWords } from '../../lib/limits.ts'
import { type Environment, serviceUrl } from '../../lib/settings.ts'
import { UsageError } from '../../lib/usage.ts'
import { planRehearsal } from '../plan/plan.ts'
import { generate } from './generate.ts'
import type { GeneratorOrder, GeneratorStart } from './messages.ts'
import { type Address, joinCoordinator } from './remote.ts'

const BYTES_PER_MBIT = 125_000

/** Resolves when the coordinator has everything. Throws UsageError if the service does not consent, or the coordinator is gone. */
export async function joinRehearsal(address: Address, env: Environment, say: (line: string) => void): Promise<void> {
  const secret = env['LOAD_TEST_SECRET']
  if (secret === undefined || secret === '') throw new UsageError('--join needs LOAD_TEST_SECRET, the coordinator’s.')
  const { lines, socket } = await joinCoordinator(address, secret)
  say(`joined ${address.host}:${address.port}; waiting for the order`)
  const gone = new AbortController()
  const closed = once(socket, 'close').then(() => gone.abort())
  const order = new Promise<GeneratorOrder>((resolve, reject) => {
    gone.signal.addEventListener('abort', () => reject(new UsageError('The coordinator closed the connection.')))
    lines.onMessage((message) => {
      if (message.kind === 'clock') lines.send({ kind: 'clock', atMs: Date.now() })
      if (message.kind === 'order') resolve(message.order)
    })
  })
  const started = new Promise<GeneratorStart>((resolve, reject) => {
    gone.signal.addEventListener('abort', () => reject(new UsageError('The coordinator closed the connection.')))
    lines.onMessage((message) => void (message.kind === 'start' && resolve(message.start)))
  })
  started.catch(() => {}) // awaited by `generate`
  try {
    const own = await withinLimits(await order, env, say)
    await generate(own, started, (message) => lines.send(message), gone.signal)
    if (gone.signal.aborted) throw new UsageError('The coordinator closed the connection.')
    say('all clients have ended')
    await closed // the coordinator closes when it has everything
  } catch (error) {
    lines.send({ kind: 'error', text: error instanceof Error ? error.message : String(error) })
    throw error
  } finally {
    socket.end()
  }
}

/** The order with this generator's share of the byte limit. */
async function withinLimits(order: GeneratorOrder, env: Environment, say: (line: string) => void) {
  const base = serviceUrl(order.base)
  const stage = await consentOf(base, env)
  const total = bytesPerSecondWithin(stage, {
    arrivalsMs: planRehearsal(order.plan).map(({ arrivesMs }) => arrivesMs),
    minutes: order.totalMinutes,
    mbit: order.bytesPerSecond === undefined ? undefined : (order.bytesPerSecond * order.of) / BYTES_PER_MBIT,
  })
  if (stage !== undefined) say(limitsInWords(stage, total))
  say(`share ${order.share + 1} of ${order.of} at ${base.origin}`)
  return { ...order, bytesPerSecond: total === undefined ? undefined : total / order.of }
}
