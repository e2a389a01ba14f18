// tus requests as text, and the few exchanges that every metric needs.

import { UPLOAD_METADATA } from './payload.ts'
import { field, type Response, Wire } from './wire.ts'

/** Endpoint of a server for uploads. */
export type Endpoint = {
  port: number
  /** Of the collection, with a slash at its end. */
  path: string
  /** Value of Authorization, or undefined. */
  authorization: string | undefined
}

const PATCH_MS = 120_000
const OCTETS = 'application/offset+octet-stream'

function head(method: string, path: string, { port, authorization }: Endpoint, fields: string[]): string {
  const all = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Tus-Resumable: 1.0.0',
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
    ...fields,
  ]
  return `${all.join('\r\n')}\r\n\r\n`
}

/** POST of an upload of `lengthBytes`; with `bodyBytes` its first bytes follow (creation-with-upload). */
export function postHead(endpoint: Endpoint, lengthBytes: number, bodyBytes = 0): string {
  return head('POST', endpoint.path, endpoint, [
    `Upload-Length: ${lengthBytes}`,
    `Upload-Metadata: ${UPLOAD_METADATA}`,
    ...(bodyBytes > 0 ? [`Content-Type: ${OCTETS}`] : []),
    `Content-Length: ${bodyBytes}`,
  ])
}

export function patchHead(endpoint: Endpoint, path: string, offset: number, bodyBytes: number): string {
  return head('PATCH', path, endpoint, [
    `Upload-Offset: ${offset}`,
    `Content-Type: ${OCTETS}`,
    `Content-Length: ${bodyBytes}`,
  ])
}

export function headHead(endpoint: Endpoint, path: string): string {
  return head('HEAD', path, endpoint, [])
}

export function optionsHead(endpoint: Endpoint): string {
  return head('OPTIONS', endpoint.path, endpoint, [])
}

/** Throws with the server's response if the status is another one. */
export function expectStatus(response: Response, status: number, what: string): void {
  if (response.status === status) return
  const said = response.body.toString('utf8').slice(0, 200)
  throw new Error(`${what}: response ${response.status} ${said}`)
}

/** The path of the upload that a POST has made. */
export function uploadPath(response: Response): string {
  expectStatus(response, 201, 'POST')
  return new URL(field(response, 'location') ?? '', 'http://127.0.0.1').pathname
}

export function uploadOffset(response: Response): number {
  return Number(field(response, 'upload-offset') ?? Number.NaN)
}

/** Creates an upload and resolves with its path. */
export async function create(wire: Wire, endpoint: Endpoint, lengthBytes: number): Promise<string> {
  wire.send(postHead(endpoint, lengthBytes))
  return uploadPath(await wire.answer('POST'))
}

/** Sends `bytes` in one PATCH; resolves with the wall time in seconds. Throws on any other response than 204. */
export async function patch(
  wire: Wire,
  endpoint: Endpoint,
  upload: { path: string; offset: number },
  bytes: number,
  writeBytes?: number,
): Promise<number> {
  const begunMs = performance.now()
  wire.send(patchHead(endpoint, upload.path, upload.offset, bytes))
  await wire.pour(bytes, writeBytes)
  expectStatus(await wire.answer('PATCH', PATCH_MS), 204, 'PATCH')
  return (performance.now() - begunMs) / 1000
}

/**
 * Creates an upload and sends all of it in one PATCH; resolves with its path and the wall time of the PATCH, seconds.
 * After `limitMs` the connection is cut and this rejects.
 */
export async function upload(
  endpoint: Endpoint,
  bytes: number,
  limitMs = PATCH_MS,
): Promise<{ path: string; seconds: number }> {
  const wire = await Wire.open(endpoint.port)
  const timer = setTimeout(() => wire.close(), limitMs)
  try {
    const path = await create(wire, endpoint, bytes)
    return { path, seconds: await patch(wire, endpoint, { path, offset: 0 }, bytes) }
  } finally {
    clearTimeout(timer)
    wire.close()
  }
}

/** Gets an upload's offset with HEAD, on a connection of its own. */
export async function offsetOf(endpoint: Endpoint, path: string): Promise<number> {
  const wire = await Wire.open(endpoint.port)
  try {
    wire.send(headHead(endpoint, path))
    const response = await wire.answer('HEAD')
    expectStatus(response, 200, 'HEAD')
    return uploadOffset(response)
  } finally {
    wire.close()
  }
}
