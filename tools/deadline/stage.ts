// Two services over one Redis and one store, and submissions that are complete: put by their portal, their files made by hand.

import { Agent, request } from 'node:http'
import { newUploadId } from '../../src/core/ids.ts'
import { inParallel } from '../../src/core/in-parallel.ts'
import { receivingRecord } from '../../src/lifecycle/transitions.ts'
import { objectKeys } from '../../src/records/keys.ts'
import { refreshCompleteness } from '../../src/submissions/completeness.ts'
import { draftFor, OWNER, SECRETS } from '../../test/support/drafts.ts'
import { openEnvironment, PORTAL_KEY } from '../../test/support/environment.ts'
import { reached } from '../../test/support/records.ts'
import { type Running, startProcess } from '../../test/support/service.ts'
import { Undo } from '../lib/undo.ts'

const WIDTH = 12
const SERVICES = 2

export type Stage = Awaited<ReturnType<typeof openStage>>

/** @param env further settings of the services, and of a worker */
export async function openStage(env: Record<string, string> = {}) {
  const undo = new Undo()
  try {
    const byHand = await openEnvironment({ listens: false, appendOnly: true, env })
    undo.add(() => byHand.close())
    const { PORT: _port, ...shared } = byHand.env
    const start = async (role: 'service' | 'worker', more: Record<string, string> = {}): Promise<Running> => {
      const running = await startProcess(role, { env: { ...shared, LOG_LEVEL: 'info', ...more } })
      undo.add(() => running.stop())
      return running
    }
    const services = await Promise.all(Array.from({ length: SERVICES }, () => start('service')))
    await Promise.all(services.map((service) => service.ready()))
    const agent = new Agent({ keepAlive: true })
    undo.add(() => agent.destroy())
    let turn = 0

    /** A call of the portal, at one service after the other; undefined: that one is dead. */
    const put = (id: string, body: object): Promise<number | undefined> =>
      new Promise((resolve) => {
        const service = services[turn++ % services.length]
        const headers = { authorization: `Bearer ${PORTAL_KEY}`, 'content-type': 'application/json' }
        const sent = request(`${service?.url}/v1/submissions/${id}`, { method: 'PUT', agent, headers })
        sent.on('error', () => resolve(undefined))
        sent.on('response', (response) => {
          response.on('error', () => resolve(undefined)).resume()
          response.on('end', () => resolve(response.statusCode))
        })
        sent.end(JSON.stringify(body))
      })

    /** What a whole, accepted file leaves behind. */
    const accept = async (id: string): Promise<void> => {
      const { uploads, heads, clock } = byHand.deps
      const draft = draftFor(id, {
        id: newUploadId(OWNER, id, SECRETS),
        createdAt: new Date(clock.now()).toISOString(),
      })
      const sequence = await heads.nextSequence(OWNER, id)
      const begun = receivingRecord(draft, { key: objectKeys.data(draft.id) }, sequence)
      await uploads.commit(draft.id, () => reached(begun, 'ready', { sequence, atMs: clock.now(), bytes: 1000 }))
      await refreshCompleteness(byHand.deps, OWNER, id)
    }

    return {
      services,
      byHand,
      start,
      put,
      /** Submissions that are complete and end at the same time. */
      async fill(ids: readonly string[], body: object): Promise<void> {
        await inParallel(WIDTH, ids, async (id) => {
          const status = await put(id, body)
          if (status !== 201) throw new Error(`PUT ${id}: ${status}`)
          await accept(id)
        })
      },
      close: () => undo.run(),
    }
  } catch (error) {
    await undo.run()
    throw error
  }
}
