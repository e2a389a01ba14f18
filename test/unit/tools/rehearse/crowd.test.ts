// The crowd's own process: it sends, reports, and hands over all outcomes, however long the list.

import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { startCrowd } from '../../../../tools/rehearse/generator/crowd.ts'
import { localGenerator } from '../../../../tools/rehearse/generator/generator.ts'
import { box } from '../../../support/media/mp4-build.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A portal that refuses everything for good: people come, and are gone. */
async function refusal(): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'NOT_OPEN_YET', message: { en: 'x'.repeat(2000) } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

it('hands over the outcomes of many, which are more than a pipe takes at once', async () => {
  const clip = Buffer.concat([
    box('ftyp', Buffer.from('isom')),
    box('moov', box('trak', Buffer.alloc(64))),
    box('mdat', randomBytes(1000)),
  ])
  let arrived = 0
  const generator = await localGenerator('crowd')
  ends.unshift(() => generator.end())
  const crowd = await startCrowd(
    {
      plan: { clients: 400, minutes: 0.005, arrivals: 'flat', scale: 0.01, speed: 1, seed: 1 },
      base: await refusal(),
      apiKey: 'k',
      run: 'r',
      clips: [clip.toString('base64')],
      graceSeconds: 0,
    },
    { lastArrivalMs: 300, settleMs: 10_000, slackMs: 1000 },
    [generator],
    (_generator, report) => {
      arrived += report.arrived
    },
  )
  const outcomes = await crowd.outcomes
  expect(outcomes.map(({ plan }) => plan.number)).toEqual(Array.from({ length: 400 }, (_, i) => i))
  expect(new Set(outcomes.map(({ failureCode }) => failureCode))).toEqual(new Set(['NOT_OPEN_YET']))
  expect(JSON.stringify(outcomes).length).toBeGreaterThan(500_000)
  expect(arrived).toBe(400)
})
