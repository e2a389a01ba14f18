// What can be seen and heard, measured by the real ffmpeg; hashes and copies; scratch folders.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { copySource, hashSource } from '../../../workers/media/copy.ts'
import type { ToolContext } from '../../../workers/media/probe.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { measureSignals, type Signals } from '../../../workers/media/signals.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { wakingCamera } from '../../support/media/rare-videos.ts'
import { lesson, transportStream } from '../../support/media/videos.ts'

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

const signals = async (path: string, audioStream: number | null = 1): Promise<Signals> =>
  measureSignals(context, await fileSource(path), 'mp4', { videoStream: 0, audioStream })

describe('measureSignals', () => {
  it('finds picture and sound in a lesson', async () => {
    const { picture, sound } = await signals(await lesson(corpus, { seconds: 6 }))
    expect(picture).toMatchObject({ samples: 6, blackShare: 0, frozenShare: 0 })
    expect(sound).toMatchObject({ silentShare: 0 })
    expect(sound?.meanDb).toBeGreaterThan(-30)
  })

  it('hears that the microphone was off', async () => {
    const { sound } = await signals(await lesson(corpus, { audio: 'silence' }))
    expect(sound).toMatchObject({ silentShare: 1, peakDb: null, meanDb: null })
  })

  it('sees black', async () => {
    const { picture } = await signals(await lesson(corpus, { picture: 'black' }))
    expect(picture).toMatchObject({ blackShare: 1, frozenShare: 1 })
  })

  it('sees that nothing moves, and that this is not black', async () => {
    const { picture } = await signals(await lesson(corpus, { picture: 'still' }))
    expect(picture).toMatchObject({ blackShare: 0, frozenShare: 1 })
  })

  it('can look at all pictures where the only keyframe is black, as of a camera that wakes up', async () => {
    const source = await fileSource(await wakingCamera(corpus))
    const streams = { videoStream: 0, audioStream: null }
    const keyframes = await measureSignals(context, source, 'mp4', streams)
    expect(keyframes.picture).toMatchObject({ samples: 1, blackShare: 1 })
    const every = await measureSignals(context, source, 'mp4', { ...streams, everyPicture: true })
    expect(every.picture?.samples).toBeGreaterThan(5)
    expect(every.picture?.blackShare).toBeLessThan(0.2)
  })

  it('does without one or the other', async () => {
    expect(await signals(await lesson(corpus, { audio: 'none' }), null)).toMatchObject({ sound: null })
    const source = await fileSource(await lesson(corpus))
    const none = await measureSignals(context, source, 'mp4', { videoStream: null, audioStream: null })
    expect(none).toEqual({ picture: null, sound: null, complained: false })
    const soundOnly = await measureSignals(context, source, 'mp4', { videoStream: null, audioStream: 1 })
    expect(soundOnly).toMatchObject({ picture: null, sound: { silentShare: 0 } })
  })

  it('reads streams without an index', async () => {
    const source = await fileSource(await transportStream(corpus))
    const { picture } = await measureSignals(context, source, 'mpegts', { videoStream: 0, audioStream: 1 })
    expect(picture?.samples).toBeGreaterThan(0)
  })
})

describe('copies and hashes', () => {
  it('are of all the bytes', async () => {
    const path = await lesson(corpus)
    const bytes = await readFile(path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const source = await fileSource(path)
    expect(await hashSource(source)).toBe(sha256)
    const copy = join(corpus.dir, 'copy.bin')
    expect(await copySource(source, copy)).toEqual({ path: copy, bytes: bytes.length, sha256 })
    expect((await readFile(copy)).equals(bytes)).toBe(true)
  })

  it('of a store that gives less than it announced fail, and nothing is overwritten', async () => {
    const path = await lesson(corpus)
    const source = { ...(await fileSource(path)), bytes: 999_999_999 }
    await expect(hashSource(source)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', source: 'system' })
    const copy = join(corpus.dir, 'short.bin')
    await expect(copySource(source, copy)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    await expect(copySource(await fileSource(path), copy)).rejects.toMatchObject({ code: 'EEXIST' })
  })
})
