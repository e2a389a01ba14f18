// Measurements that were once wrong, by the real tools: broken copies that looked whole, lengths that were no lengths.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identifySource, measure } from '../../../workers/lanes/measure.ts'
import type { Measurement } from '../../../workers/lanes/measurement.ts'
import { filesHere } from '../../../workers/lanes/tool-files.ts'
import type { ToolContext } from '../../../workers/media/probe.ts'
import { isRiffCutOff } from '../../../workers/media/riff.ts'
import { createRunner } from '../../../workers/media/run.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { wipedTail } from '../../support/media/damage.ts'
import { forgedMatroska, truncated } from '../../support/media/hostile.ts'
import { referenceMovie } from '../../support/media/hostile-videos.ts'
import { long } from '../../support/media/lies.ts'
import { largeTags } from '../../support/media/odd-streams.ts'
import { joinedTransportStreams } from '../../support/media/rare-videos.ts'
import { recorded, rewrapped, X264 } from '../../support/media/recordings.ts'
import { avi, lesson } from '../../support/media/videos.ts'

let corpus: Corpus
let context: ToolContext

beforeAll(async () => {
  corpus = await createCorpus()
  context = { runner: await createRunner(), cwd: corpus.dir }
})
afterAll(() => corpus.remove())

async function measured(path: string): Promise<Measurement> {
  const source = await fileSource(path)
  return await measure(context, source, await identifySource(source), filesHere(source))
}

describe('an AVI', () => {
  it('that is truncated is incomplete, although ffmpeg plays it without an error', async () => {
    const path = await truncated(corpus, await avi(corpus), 0.6, 'cut.avi')
    expect((await measured(path)).measured).toMatchObject({ container: 'avi', complete: false })
  })

  it('is complete if its length is unknown, or wrong by the few bytes of careless writers', async () => {
    const path = await avi(corpus)
    const source = await fileSource(path)
    const claiming = (bytes: number) => ({
      ...source,
      async readAt(position: number, length: number) {
        const read = await source.readAt(position, length)
        if (position === 0) read.writeUInt32LE(bytes, 4)
        return read
      },
    })
    expect(await isRiffCutOff(source)).toBe(false)
    expect(await isRiffCutOff(claiming(0))).toBe(false)
    expect(await isRiffCutOff(claiming(0xffff_ffff))).toBe(false)
    expect(await isRiffCutOff(claiming(source.bytes))).toBe(false)
    expect(await isRiffCutOff(claiming(source.bytes + 100_000))).toBe(true)
  })
})

describe('Matroska', () => {
  it('of which the tools read half without an error is incomplete', async () => {
    const picture = 'testsrc2=s=320x180:r=10'
    const whole = await recorded(corpus, 'whole.mkv', { seconds: 10, picture }, [...X264, '-g', '10'])
    const { measured: found } = await measured(await wipedTail(corpus, whole, 'wiped.mkv'))
    expect(found).toMatchObject({ complete: false })
    expect(found.durationSeconds).toBeLessThan(6)
    expect((await measured(whole)).measured).toMatchObject({ complete: true })
  })

  it('that declares ten hours in its header is complete, because all of it was read', async () => {
    expect((await measured(await forgedMatroska(corpus))).measured).toMatchObject({ complete: true })
  })

  it('with as many bytes outside the picture as in it is complete, if its header declares no more than exists', async () => {
    const path = await rewrapped(corpus, await lesson(corpus), 'attached.mkv', [
      '-attach',
      await wipedTail(corpus, await lesson(corpus), 'attachment.bin'),
      '-metadata:s:t',
      'mimetype=application/octet-stream',
    ])
    expect((await measured(path)).measured).toMatchObject({ complete: true })
  })
})

describe('a program stream', () => {
  it('has the duration of its pictures, although some packets have no timestamp', async () => {
    const path = await recorded(corpus, 'vob.mpg', { seconds: 2, picture: 'testsrc2=s=640x480:r=25' }, [
      '-c:v',
      'mpeg2video',
      '-c:a',
      'mp2',
      '-f',
      'vob',
    ])
    expect((await measured(path)).measured.durationSeconds).toBeCloseTo(2, 1)
  })
})

describe('a transport stream of two parts', () => {
  it('has the duration of both parts: the clock restarts, and tools estimate half of it', async () => {
    const part = { seconds: 20, picture: 'testsrc2=s=320x180:r=5' }
    const { measured: found } = await measured(await joinedTransportStreams(corpus, part))
    expect(found.durationSeconds).toBeCloseTo(40, 0)
    expect(found.headerDurationSeconds).toBeUndefined()
  })
})

describe('a file with large metadata', () => {
  it('is read anyway: the metadata is not requested', async () => {
    const found = await measured(await largeTags(corpus))
    expect(found).toMatchObject({ measured: { videoCodec: 'h264', complete: true } })
    expect(found.unreadable).toBeUndefined()
  })
})

describe('Ogg with Theora', () => {
  it('can be read', async () => {
    const path = await recorded(corpus, 'free.ogv', {}, ['-c:v', 'libtheora', '-c:a', 'libvorbis'])
    const { measured: found, unreadable } = await measured(path)
    expect(found).toMatchObject({ container: 'ogg', videoCodec: 'theora', audioCodec: 'vorbis' })
    expect(found.durationSeconds).toBeCloseTo(3, 1)
    expect(unreadable).toBeUndefined()
  })
})

describe('a film', () => {
  it('of ten days is refused: its rendition would take weeks', async () => {
    expect(await measured(await long(corpus, 864_000))).toMatchObject({ unreadable: true })
    expect((await measured(await long(corpus, 80_000))).unreadable).toBeUndefined()
  })

  it('whose media are in another file is incomplete', async () => {
    const path = await referenceMovie(corpus, { url: 'http://127.0.0.1:9/', secretPath: '/nowhere' })
    expect((await measured(path)).measured).toMatchObject({ container: 'mov', complete: false })
  })
})
