// What the version before wrote, as test/fixtures/earlier-version.json keeps it. It was taken from a running service and
// worker of that version: all its objects but the media, its keys in Redis, and what it answered about them.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { pdfBytes } from './media/pdfs.ts'
import type { TestRedis } from './redis.ts'

type StoredKey =
  | { type: 'string'; value: string }
  | { type: 'hash'; value: Record<string, string> }
  | { type: 'zset' | 'list' | 'set'; value: string[] }
  | { type: 'stream'; value: [id: string, fields: string[]][] }

/** good: ready. long: rejected. unjudged: stored, its job waits. half: half of it is stored. empty: no byte of it is. */
type Name = 'good' | 'long' | 'unjudged' | 'half' | 'empty'

export type EarlierVersion = {
  takenAtMs: number
  redisRunId: string
  uploads: Record<Name, { id: string; bytes: number }>
  /** Of the upload `good`. */
  jws: string
  redis: Record<string, StoredKey>
  objects: Record<string, unknown>
  /** Path → what GET answered then. Addresses begin with ORIGIN. */
  answers: Record<string, Record<string, unknown>>
}

const FILE = new URL('../fixtures/earlier-version.json', import.meta.url)
/** Bytes of `half` that are stored. */
export const HALF_SENT = 5773

/** What was uploaded then; made anew, byte for byte. */
export const pdfs: Record<Name, Buffer> = {
  good: pdf(3, 'accepted '),
  long: pdf(6, 'rejected '),
  unjudged: pdf(3, 'unjudged '),
  half: pdf(4, 'half '),
  empty: pdf(2, 'empty '),
}

function pdf(pages: number, note: string): Buffer {
  return pdfBytes({ pages, catalog: `/Note (${note.repeat(2000)})` })
}

/** The fixture as if it had been taken just now, from a Redis with this run id: every time in it is moved by as much. */
export async function earlierVersion(runId: string): Promise<EarlierVersion> {
  const text = await readFile(FILE, 'utf8')
  const { takenAtMs, redisRunId } = JSON.parse(text) as EarlierVersion
  const laterMs = Date.now() - takenAtMs
  const moved = text
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (at) => new Date(Date.parse(at) + laterMs).toISOString())
    .replace(/(?<![0-9a-z])0?1[78]\d{11}(?![0-9a-z])/g, (ms) => String(Number(ms) + laterMs).padStart(ms.length, '0'))
    .replaceAll(redisRunId, runId)
  return JSON.parse(moved) as EarlierVersion
}

/** The run id of a Redis, under which its keys are believed. */
export async function runIdOf({ url }: TestRedis): Promise<string> {
  const redis = new Redis(url)
  const info = await redis.info('server')
  redis.disconnect()
  return /^run_id:(\w+)/m.exec(info)?.[1] ?? ''
}

export async function putIntoRedis({ url }: TestRedis, keys: EarlierVersion['redis']): Promise<void> {
  const redis = new Redis(url)
  for (const [key, { type, value }] of Object.entries(keys)) {
    if (type === 'string') await redis.set(key, value)
    else if (type === 'hash') await redis.hset(key, value)
    else if (type === 'list') await redis.rpush(key, ...value)
    else if (type === 'set') await redis.sadd(key, ...value)
    else if (type === 'stream') for (const [id, fields] of value) await redis.xadd(key, id, ...fields)
    else for (let i = 0; i < value.length; i += 2) await redis.zadd(key, value[i + 1] ?? '', value[i] ?? '')
  }
  redis.disconnect()
}

/** All objects, and the bytes of what can go on, into the data directory of a local store. */
export async function putIntoStore(dataDir: string, { objects, uploads }: EarlierVersion): Promise<void> {
  const put = async (key: string, bytes: Buffer | string) => {
    const path = join(dataDir, 'store', key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
  for (const [key, json] of Object.entries(objects)) await put(key, JSON.stringify(json))
  for (const name of ['good', 'long', 'unjudged', 'half'] as const) {
    const { id, bytes } = uploads[name]
    const record = Object.keys(objects).find((key) => key.includes(`/${id}/`))
    if (record === undefined) throw new Error(`no record of ${name}`)
    if (pdfs[name].length !== bytes) throw new Error(`${name}: PDFs are made otherwise than when the fixture was taken`)
    await put(`${dirname(record)}/data`, name === 'half' ? pdfs.half.subarray(0, HALF_SENT) : pdfs[name])
  }
}
