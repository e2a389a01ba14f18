// The scanner's protocol against a server that speaks it, and what becomes of an upload that it finds something in.

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scan } from '../../../workers/lanes/clamd.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { noise } from '../../support/media/hostile.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { buildHouse } from './house.ts'

type Daemon = { path: string; received: () => Buffer; close(): Promise<void> }

let corpus: Corpus
let dir: string
beforeAll(async () => {
  corpus = await createCorpus()
  dir = await mkdtemp(join(tmpdir(), 'songngan-clamd-'))
})
afterAll(async () => {
  await corpus?.remove()
  await rm(dir, { recursive: true, force: true })
})

/** Reads one INSTREAM and answers; `maxBytes` answers early, as clamd does over its limit. */
async function daemon(
  answer: (bytes: Buffer) => string,
  maxBytes = Number.POSITIVE_INFINITY,
): Promise<Daemon> {
  let received: Buffer = Buffer.alloc(0)
  const serve = (socket: Socket) => {
    let raw: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined) // the client may cut the line first
    socket.on('data', (chunk: Buffer) => {
      raw = Buffer.concat([raw, chunk])
      if (raw.length > maxBytes) socket.end('INSTREAM size limit exceeded. ERROR\0')
      const stream = unpack(raw)
      if (stream === undefined) return
      received = stream
      socket.end(`${answer(stream)}\0`)
    })
  }
  const path = join(dir, `clamd-${Math.random().toString(36).slice(2)}.sock`)
  const server: Server = createServer(serve)
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
  return {
    path,
    received: () => received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
      }),
  }
}

/** The bytes of a stream that has come to its end. */
function unpack(raw: Buffer): Buffer | undefined {
  const command = 'zINSTREAM\0'
  if (raw.length < command.length || raw.toString('latin1', 0, command.length) !== command) return undefined
  const pieces: Buffer[] = []
  for (let at = command.length; at + 4 <= raw.length; ) {
    const length = raw.readUInt32BE(at)
    if (length === 0) return Buffer.concat(pieces)
    pieces.push(raw.subarray(at + 4, at + 4 + length))
    at += 4 + length
  }
  return undefined
}

const never = new AbortController().signal

describe('a scan', () => {
  it('sends every byte, and reads what was found', async () => {
    const clamd = await daemon(() => 'stream: Eicar-Test-Signature FOUND')
    const source = await fileSource(await noise(corpus, 3_000_000))
    expect(await scan(`unix:${clamd.path}`, source, never)).toEqual({ found: 'Eicar-Test-Signature' })
    expect(clamd.received().equals(await source.readAt(0, source.bytes))).toBe(true)
    await clamd.close()
  })

  it('tells a clean file from one that is too large to be scanned', async () => {
    const clean = await daemon(() => 'stream: OK')
    const source = await fileSource(await noise(corpus, 3_000_000))
    expect(await scan(`unix:${clean.path}`, source, never)).toEqual({ found: null })
    await clean.close()
    const small = await daemon(() => 'stream: OK', 100_000)
    expect(await scan(`unix:${small.path}`, source, never)).toEqual({ tooLarge: true })
    await small.close()
  })

  it('fails where clamd is away, or could not scan', async () => {
    const source = await fileSource(await noise(corpus))
    await expect(scan(`unix:${dir}/nobody.sock`, source, never)).rejects.toThrow('ENOENT')
    const broken = await daemon(() => "stream: Can't allocate memory ERROR")
    await expect(scan(`unix:${broken.path}`, source, never)).rejects.toThrow('allocate memory')
    await broken.close()
  })
})

describe('an upload with malware in it', () => {
  it('is rejected after the whole file was read', async () => {
    const clamd = await daemon(() => 'stream: Doc.Malware.Test FOUND')
    const house = await buildHouse({
      env: { CLAMD_URL: `unix:${clamd.path}` },
      change: (profile) => profile.inspectionRejects?.push('MALWARE'),
    })
    try {
      await house.start()
      await house.submission('a')
      const id = await house.upload(await pdf(corpus, 'a.pdf'), { submissionId: 'a', slot: 'plan' })
      const record = await house.until(id, ({ state }) => state === 'rejected')
      expect(record.problems).toMatchObject([{ code: 'MALWARE', actual: 'Doc.Malware.Test' }])
      expect(record.checks).toContainEqual({ name: 'malware', state: 'failed' })
    } finally {
      await house.close()
      await clamd.close()
    }
  })
})
