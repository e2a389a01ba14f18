// The answers of Prometheus' HTTP API, `GET /api/v1/alerts`, as its documentation shows them.

import { createServer } from 'node:http'
import { expect, it, onTestFinished } from 'vitest'
import { firingAlerts } from '../../../src/ops/firing-alerts.ts'

async function prometheus(status: number, body: string): Promise<string> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/prefix/api/v1/alerts' ? status : 404).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/prefix/`
}

const alert = (alertname: string, state: string) => ({
  activeAt: '2026-11-04T20:27:12.6Z',
  annotations: { summary: `${alertname} happens`, runbook: 'docs/runbook.md#redis-is-lost' },
  labels: { alertname, severity: 'page' },
  state,
  value: '1e+00',
})

it('gives the own alerts that fire, with their chapters', async () => {
  const alerts = [alert('SongnganRedisDown', 'firing'), alert('SongnganHeadSlow', 'pending'), alert('Other', 'firing')]
  const url = await prometheus(200, JSON.stringify({ status: 'success', data: { alerts } }))
  expect(await firingAlerts(url)).toEqual({
    state: 'on',
    firing: [
      { name: 'SongnganRedisDown', severity: 'page', summary: 'SongnganRedisDown happens', chapter: 'redis-is-lost' },
    ],
  })
})

it('is off without an address, and away where something else or nothing answers', async () => {
  expect(await firingAlerts(undefined)).toEqual({ state: 'off' })
  for (const url of [await prometheus(500, ''), await prometheus(200, '<html>'), await prometheus(200, '{}')])
    expect(await firingAlerts(url)).toMatchObject({ state: 'away' })
  expect(await firingAlerts('http://127.0.0.1:1')).toMatchObject({ state: 'away' })
})
