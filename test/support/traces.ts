// Looks for texts in everything that is kept: all keys and values of Redis, all objects or files of the store with their
// names and metadata, in every form in which a program may have written them.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3'
import type { RedisConnection } from '../../src/core/redis.ts'
import { createS3Client } from '../../src/storage/s3-client.ts'
import { waitFor } from './http.ts'
import type { TestS3 } from './s3.ts'

/** One thing that is kept, and where. */
type Kept = { place: string; bytes: Buffer }

/** Shorter pieces of base64 would be found in anything. */
const MIN_BASE64 = 8

/** A text as programs write it: as it is, escaped for JSON or an address, in base64 at any place of a longer text, hashed. */
export function formsOf(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8')
  const escaped = text.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const aligned = [0, 1, 2].flatMap((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The first and last characters also depend on what stands beside the text.
    const own = encoded.slice(before === 0 ? 0 : before + 1, -1)
    return own.length < MIN_BASE64 ? [] : [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
  const hashes = (['hex', 'base64', 'base64url'] as const).flatMap((encoding) =>
    [text, `subject ${text}`].map((whole) => createHash('sha256').update(whole).digest(encoding)),
  )
  const forms = [text, escaped, encodeURIComponent(text), bytes.toString('hex'), ...aligned, ...hashes]
  return [...new Set([...forms, text.toLowerCase()])]
}

/** Where which of the named texts stands, as `name: place`. */
export function findTraces(kept: readonly Kept[], texts: Readonly<Record<string, string>>): string[] {
  return Object.entries(texts).flatMap(([name, text]) => {
    const forms = formsOf(text).map((form) => Buffer.from(form, 'utf8'))
    return kept
      .filter(({ place, bytes }) => forms.some((form) => bytes.includes(form) || place.includes(form.toString('utf8'))))
      .map(({ place }) => `${name}: ${place}`)
  })
}

const READ: Record<string, (key: string) => [string, ...string[]]> = {
  string: (key) => ['GET', key],
  hash: (key) => ['HGETALL', key],
  list: (key) => ['LRANGE', key, '0', '-1'],
  set: (key) => ['SMEMBERS', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  stream: (key) => ['XRANGE', key, '-', '+'],
}

/** Every key of Redis with its value. */
export async function keptInRedis(redis: RedisConnection): Promise<Kept[]> {
  const kept: Kept[] = []
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'COUNT', 1000)
    cursor = next
    for (const key of keys) {
      const read = READ[await redis.type(key)]
      if (read === undefined) continue
      const [command, ...args] = read(key)
      kept.push({ place: `redis ${key}`, bytes: Buffer.concat(flat(await redis.callBuffer(command, ...args))) })
    }
  } while (cursor !== '0')
  return kept
}

function flat(answer: unknown): Buffer[] {
  if (Buffer.isBuffer(answer)) return [answer, Buffer.from('\n')]
  return Array.isArray(answer) ? answer.flatMap(flat) : []
}

/**
 * Every file below a directory, with the names of the folders that it lies in; empty folders too. A running service replaces
 * files: what is gone when it is to be read may have another name by then, so all is listed again.
 */
export async function keptInDirectory(dir: string): Promise<Kept[]> {
  return await waitFor(() => listed(dir), { what: `a list of ${dir} that is true until it is read` })
}

async function listed(dir: string): Promise<Kept[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return await Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      return { place: path.slice(dir.length), bytes: entry.isFile() ? await readFile(path) : Buffer.alloc(0) }
    }),
  )
}

/** Every object of a bucket with its metadata, and the names of multipart uploads that were not ended. */
export async function keptInBucket({ bucket: Bucket, region, endpoint }: TestS3): Promise<Kept[]> {
  const client = createS3Client({ bucket: Bucket, region, endpoint, forcePathStyle: true })
  const kept: Kept[] = []
  try {
    const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket }))
    if (IsTruncated === true) throw new Error('more objects than one page')
    for (const { Key = '' } of Contents) {
      const { Metadata } = await client.send(new HeadObjectCommand({ Bucket, Key }))
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
      const body = Buffer.from((await Body?.transformToByteArray()) ?? [])
      const told = Object.values(Metadata ?? {}).flatMap((value) => [value, '\n', decoded(value)])
      kept.push({ place: Key, bytes: Buffer.concat([body, ...told.map((text) => Buffer.from(text))]) })
    }
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    for (const { Key, UploadId } of Uploads)
      kept.push({ place: `multipart ${Key} ${UploadId}`, bytes: Buffer.alloc(0) })
  } finally {
    client.destroy()
  }
  return kept
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
