// The load balancer, from the view of the conductor.

import { once } from 'node:events'
import { endForked, forked } from './forked.ts'
import type { FromFront } from './front-main.ts'

export type Front = {
  readonly url: string
  readonly pid: number
  /** Resets all connections; resolves with their number. */
  cut(): Promise<number>
  stop(): Promise<void>
}

/** @param targets ports on 127.0.0.1 */
export async function startFront(targets: readonly number[]): Promise<Front> {
  const child = await forked('stage/front-main')
  const ask = async (order: object): Promise<FromFront> => {
    const answer = once(child, 'message')
    child.send(order)
    return (await answer)[0] as FromFront
  }
  const said = await ask({ kind: 'listen', targets })
  if (said.kind !== 'listening') throw new Error('the balancer does not listen')
  return {
    url: `http://127.0.0.1:${said.port}`,
    pid: child.pid ?? -1,
    async cut() {
      const answer = await ask({ kind: 'cut' })
      return answer.kind === 'cut' ? answer.connections : 0
    },
    stop: () => endForked(child),
  }
}
