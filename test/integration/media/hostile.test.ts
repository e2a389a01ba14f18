// Files that want something: connections, other files, memory. None of them gets it.

import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Container, identify } from '../../../src/core/identify.ts'
import { readMp4Index } from '../../../src/media/mp4/index.ts'
import { measure } from '../../../workers/lanes/measure.ts'
import { filesHere } from '../../../workers/lanes/tool-files.ts'
import { probe, type ToolContext } from '../../../workers/media/probe.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { spotDecode } from '../../../workers/media/spot-decode.ts'
import type { ToolError } from '../../../workers/media/tool-error.ts'
import { PATIENCE_MS } from '../../support/http.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import {
  concatScript,
  manyStreams,
  noise,
  pixelBomb,
  playlist,
  renamed,
  zeroBytes,
} from '../../support/media/hostile.ts'
import { lesson } from '../../support/media/videos.ts'

const SECRET = 'the-contents-of-a-file-on-this-machine'

let corpus: Corpus
let context: ToolContext
let listener: Server
let connections = 0
let url: string
let secretPath: string

beforeAll(async () => {
  corpus = await createCorpus()
  // Without the fence of the network, so that the whitelists have to hold alone.
  const open = await createRunner({ isolation: 'none' })
  context = { runner: open, cwd: corpus.dir }
  listener = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => {
    listener.listen(0, '127.0.0.1', resolve)
  })
  const address = listener.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/segment.ts`
  secretPath = join(corpus.dir, 'secret.ts')
  await writeFile(secretPath, SECRET)
})
afterAll(async () => {
  await new Promise((resolve) => listener.close(resolve))
  await corpus.remove()
})

const failure = async (path: string, container: Container): Promise<ToolError> =>
  probe(context, await fileSource(path), container).then(
    () => {
      throw new Error('the probe was expected to fail')
    },
    (error: ToolError) => error,
  )

describe('text that names other files and hosts', () => {
  it.each([
    ['a playlist called .mp4', playlist, 'playlist'],
    ['a concat script called .mp4', concatScript, 'script'],
  ] as const)('%s is no video, makes no connection and reads no file', async (_name, maker, container) => {
    const path = await maker(corpus, url, secretPath)
    const source = await fileSource(path)
    expect(identify(await source.readAt(0, 2048), true)).toMatchObject({ kind: 'other', container })
    // Refused for what it is, not because this version of ffmpeg happens to be careful with playlists.
    expect(await failure(path, container)).toMatchObject({ code: 'INPUT_REFUSED', source: 'input' })
    // Also where someone forgets to ask the bytes first.
    for (const believed of ['unknown', 'mp4', 'matroska', container] as const) {
      const error = await failure(path, believed)
      expect(error).toMatchObject({ source: 'input' })
      expect(`${error.message}${error.stderrTail}`).not.toContain(SECRET)
    }
    expect(
      await spotDecode(context, source, 'unknown', { stream: 0, startSeconds: 0, durationSeconds: 2 }),
    ).toMatchObject([{ frames: 0 }])
    expect(connections).toBe(0)
  })

  it('would be followed without our options: the listener and the playlist work', async () => {
    const path = await playlist(corpus, url, secretPath)
    await context.runner
      .run({
        tool: 'ffprobe',
        args: ['-v', 'error', '-protocol_whitelist', 'file,http,tcp', '-f', 'hls', '-i', path],
        limits: { wallMs: PATIENCE_MS, cpuSeconds: 5, memoryBytes: 2 ** 31, outputBytes: 1e6, fileBytes: 1e6 },
        cwd: corpus.dir,
      })
      .catch((error: ToolError) => error)
    expect(connections).toBeGreaterThan(0)
    connections = 0
  })
})

describe('files that need too many resources', () => {
  it('a small file of 67 million pixels is refused before it is decoded', async () => {
    expect(await failure(await pixelBomb(corpus), 'mp4')).toMatchObject({
      code: 'INPUT_REFUSED',
      source: 'input',
    })
  })

  it('two dozen streams are refused', async () => {
    const path = await manyStreams(corpus)
    const source = await fileSource(path)
    expect((await readMp4Index(source)).tracks).toHaveLength(25)
    const identity = { kind: 'video', container: 'mp4' } as const
    expect(await measure(context, source, identity, filesHere(source))).toMatchObject({ unreadable: true })
  })
})

describe('files without content', () => {
  it('no bytes at all', async () => {
    const path = await zeroBytes(corpus)
    expect(identify(Buffer.alloc(0), true)).toMatchObject({ kind: 'other' })
    expect(await failure(path, 'unknown')).toMatchObject({ code: 'INPUT_UNREADABLE', source: 'input' })
    expect(await readMp4Index(await fileSource(path))).toMatchObject({ problem: 'NO_INDEX', complete: false })
  })

  it('noise', async () => {
    const path = await noise(corpus)
    const source = await fileSource(path)
    expect(identify(await source.readAt(0, 2048))).toMatchObject({ kind: 'other' })
    expect(await failure(path, 'unknown')).toMatchObject({ source: 'input' })
    expect(await readMp4Index(source)).toMatchObject({ complete: false, measurable: false })
  })
})

describe('names', () => {
  it('an MP4 called .pdf is an MP4', async () => {
    const path = await renamed(corpus, await lesson(corpus), 'plan.pdf')
    const source = await fileSource(path)
    expect(identify(await source.readAt(0, 2048))).toMatchObject({ kind: 'video', container: 'mp4' })
    expect((await probe(context, source, 'mp4')).video).not.toBeNull()
  })

  it('that look like options or protocols are treated as names', async () => {
    for (const name of ['-version.mp4', 'concat:a|b.mp4', 'a %d ?.mp4', 'pipe:0.mp4']) {
      const path = await renamed(corpus, await lesson(corpus), name)
      expect((await probe(context, await fileSource(path), 'mp4')).video, name).not.toBeNull()
    }
  })
})
