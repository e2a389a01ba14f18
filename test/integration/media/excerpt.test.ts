// Films in a bucket: what is measured from a few pieces must be what is measured from all of it.

import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { identifySource, measure } from '../../../workers/lanes/measure.ts'
import type { Measurement } from '../../../workers/lanes/measurement.ts'
import { filesHere, withToolFiles } from '../../../workers/lanes/tool-files.ts'
import { createRunner, type Runner } from '../../../workers/media/run.ts'
import { createScratchRoom, type ScratchRoom } from '../../../workers/media/scratch.ts'
import { fileSource, rangeSource } from '../../../workers/media/source.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { lesson, streamed } from '../../support/media/videos.ts'

const MIB = 1024 * 1024
const FILLING_BYTES = 96 * MIB

let corpus: Corpus
let runner: Runner
let room: ScratchRoom

beforeAll(async () => {
  corpus = await createCorpus()
  runner = await createRunner()
  room = createScratchRoom({ root: join(corpus.dir, 'scratch'), marginBytes: 0 })
})
afterAll(() => corpus.remove())

/** The film with so many empty bytes after position `at`, behind the head of a box that says so. */
async function filled(path: string, name: string, at: number, head: Buffer): Promise<string> {
  const bytes = await readFile(path)
  const target = join(corpus.dir, name)
  await writeFile(target, Buffer.concat([bytes.subarray(0, at), head]))
  const file = await open(target, 'r+')
  await file.write(bytes, at, bytes.length - at, at + FILLING_BYTES)
  await file.truncate(bytes.length + FILLING_BYTES)
  await file.close()
  return target
}

function freeBox(): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(FILLING_BYTES, 0)
  head.write('free', 4, 'latin1')
  return head
}

/** As a worker over a bucket measures it, and how much of it was asked for. */
async function fromBucket(path: string): Promise<{ measurement: Measurement; readBytes: number; copied: boolean }> {
  const file = await fileSource(path)
  let readBytes = 0
  const bucket = rangeSource({
    bytes: file.bytes,
    async readRange(position, length) {
      readBytes += length
      return await file.readAt(position, length)
    },
  })
  const { signal } = new AbortController()
  return await withToolFiles({ room, signal }, 'job', bucket, async ({ source, files, sha256 }) => {
    const context = { runner, cwd: corpus.dir }
    const measurement = await measure(context, source, await identifySource(source), files)
    return { measurement, readBytes, copied: sha256() !== undefined }
  })
}

async function fromDisk(path: string): Promise<Measurement> {
  const source = await fileSource(path)
  const identity = await identifySource(source)
  return await measure({ runner, cwd: corpus.dir }, source, identity, filesHere(source))
}

it('a film with its index after a hundred megabytes is measured from an excerpt', async () => {
  const path = await lesson(corpus, { faststart: false })
  const moovAt = (await readFile(path)).lastIndexOf('moov') - 4
  const large = await filled(path, 'index-last.mp4', moovAt, freeBox())
  const { measurement, readBytes, copied } = await fromBucket(large)
  expect(measurement).toEqual(await fromDisk(large))
  expect(measurement.measured).toMatchObject({ complete: true, videoCodec: 'h264', audioCodec: 'aac' })
  expect(copied).toBe(false)
  expect(readBytes).toBeLessThan(20 * MIB)
})

it('a film whose codecs are not in the excerpt is read completely before it is rejected', async () => {
  const path = await lesson(corpus, { faststart: false })
  const large = await filled(path, 'blind.mp4', (await readFile(path)).lastIndexOf('moov') - 4, freeBox())
  const file = await fileSource(large)
  const bucket = rangeSource({ bytes: file.bytes, readRange: (at, length) => file.readAt(at, length) })
  const { signal } = new AbortController()
  const outcome = await withToolFiles({ room, signal }, 'job', bucket, async ({ source: seen, files, sha256 }) => {
    const identity = await identifySource(seen)
    const measurement = await measure({ runner, cwd: corpus.dir }, seen, identity, {
      ...files,
      // An excerpt with nothing in it.
      async excerpt() {
        const empty = join(corpus.dir, 'empty.mp4')
        await writeFile(empty, Buffer.alloc(64))
        return await fileSource(empty)
      },
    })
    return { measurement, copied: sha256() !== undefined }
  })
  expect(outcome.measurement).toEqual(await fromDisk(large))
  expect(outcome.copied).toBe(true)
})

it('a container without an index is copied completely', async () => {
  const path = await streamed(corpus, 'matroska')
  const { length } = await readFile(path)
  // A Void element (EC) of eight bytes of length, after the last cluster.
  const head = Buffer.alloc(9)
  head.writeUInt8(0xec, 0)
  head.writeBigUInt64BE(0x0100000000000000n + BigInt(FILLING_BYTES - 9), 1)
  const large = await filled(path, 'large.mkv', length, head)
  const { measurement, readBytes, copied } = await fromBucket(large)
  expect(measurement).toEqual(await fromDisk(large))
  expect(copied).toBe(true)
  expect(readBytes).toBeLessThan(2.2 * (length + FILLING_BYTES))
})

it('no file is left', async () => {
  expect(await readdir(join(corpus.dir, 'scratch'))).toEqual([])
})
