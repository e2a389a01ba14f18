// Acts as the portal: submissions, and a ticket for a video in each.

import type { Endpoint } from '../client/tus.ts'
import { expectStatus } from '../client/tus.ts'
import { Wire } from '../client/wire.ts'
import { API_KEY } from './songngan.ts'

const PROFILE = 'teacher.K4@1'
const SLOT = 'teaching_video'
const CONNECTIONS = 8

/** The upload endpoint with each of `count` tickets, each of a submission of its own. */
export async function ticketEndpoints(endpoint: Endpoint, count: number): Promise<Endpoint[]> {
  const made: Endpoint[] = []
  let next = 0
  const work = async () => {
    const wire = await Wire.open(endpoint.port)
    try {
      while (next < count) {
        const id = `bench-${next++}`
        await call(wire, endpoint, 'PUT', `/v1/submissions/${id}`, { profile: PROFILE }, 201)
        const path = `/v1/submissions/${id}/tickets`
        const { ticket } = (await call(wire, endpoint, 'POST', path, { slot: SLOT }, 201)) as {
          ticket: string
        }
        made.push({ ...endpoint, authorization: `Bearer ${ticket}` })
      }
    } finally {
      wire.close()
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  return made
}

async function call(
  wire: Wire,
  { port }: Endpoint,
  method: string,
  path: string,
  body: object,
  status: number,
): Promise<unknown> {
  const json = JSON.stringify(body)
  wire.send(
    [
      `${method} ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      `Authorization: Bearer ${API_KEY}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(json)}`,
      '',
      json,
    ].join('\r\n'),
  )
  const response = await wire.answer(method)
  expectStatus(response, status, `${method} ${path}`)
  return JSON.parse(response.body.toString('utf8'))
}
