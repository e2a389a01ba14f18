// A selection of the corpus, one file of each kind of trap; `npm run corpus` runs all of it. And that the corpus itself
// notices what it is there to notice.

import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Alarms, setAlarms } from '../../../tools/corpus/alarms.ts'
import { watchMemory } from '../../../tools/corpus/memory.ts'
import { allRows } from '../../../tools/corpus/rows/index.ts'
import { runRow } from '../../../tools/corpus/run.ts'
import { openWorkshop, type Workshop } from '../../../tools/corpus/workshop.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'

const SELECTION = [
  'phone-upright',
  'talkative-mp4',
  'waking-camera',
  'film-called-pdf-taken',
  'short-by-a-byte',
  'cut-avi',
  'paused-microphone-mp4',
  'sparse-sound-mp4',
  'open-groups-cut',
  'b-frames-avi',
  'still-with-font',
  'still-and-silent',
  'joined-minutes-apart',
  'hole-many-tracks',
  'noise-mute-mp4',
  'cut-between-packets',
  'pdf-script-packed',
  'video-maxBytes-10737418240-beyond',
  'playlist',
  'samples-elsewhere',
  'playlist-in-subtitles',
  'hidden-pixels',
]

let corpus: Corpus
let workshop: Workshop
let alarms: Alarms

beforeAll(async () => {
  corpus = await createCorpus()
  workshop = await openWorkshop()
  alarms = await setAlarms(corpus.dir)
})
afterAll(async () => {
  await alarms?.close()
  await workshop?.close()
  await corpus?.remove()
})

describe('of the corpus', () => {
  it.each(SELECTION)('%s', async (name) => {
    const row = allRows(workshop.profiles).find((one) => one.name === name)
    if (row === undefined) throw new Error(`the corpus has no ${name}`)
    // How long a row may take is measured where nothing else runs.
    const unhurried = { ...row, bounds: { ...row.bounds, seconds: 600 } }
    const { errors } = await runRow({ corpus, workshop, alarms }, unhurried)
    expect(errors).toEqual([])
  })
})

describe('the corpus', () => {
  it('notices a connection to the address that hostile files name', async () => {
    const { hostname, port } = new URL(alarms.bait.url)
    await new Promise<void>((resolve, reject) => {
      connect(Number(port), hostname)
        .on('close', () => resolve())
        .on('error', reject)
        .resume()
    })
    expect(await alarms.rung()).toEqual(['1 connections to an address in the file'])
    expect(await alarms.rung()).toEqual([])
  })

  it('notices that the file was read which nobody may read', async ({ skip }) => {
    if (!alarms.detectsReads) skip('this file system does not tell')
    await readFile(alarms.bait.secretPath)
    expect(await alarms.rung()).toEqual(['a file of this machine was read'])
    expect(await alarms.rung()).toEqual([])
  })

  it('notices how much memory a tool takes', async () => {
    const memory = watchMemory()
    const bytes = 'const b = Buffer.alloc(300e6, 1); setTimeout(() => b, 200)'
    await promisify(execFile)(process.execPath, ['-e', bytes])
    const { tool } = memory.stop()
    expect(tool.bytes).toBeGreaterThan(300e6)
    expect(tool.tool).toBe('node')
  })

  it('notices a verdict that is not the expected one, and a file that cannot be made', async () => {
    const row = allRows(workshop.profiles).find(({ name }) => name === 'empty')
    if (row === undefined) throw new Error('the corpus has no empty file')
    const wrong = { ...row, name: 'wrong', expect: { ...row.expect, problems: {} } }
    expect((await runRow({ corpus, workshop, alarms }, wrong)).errors).toEqual([
      'UPLOAD_EMPTY (reject) is not expected',
    ])
    const unmade = { ...row, name: 'unmade', make: () => Promise.reject(new Error('no such maker')) }
    expect((await runRow({ corpus, workshop, alarms }, unmade)).errors).toEqual(['no such maker'])
  })
})
