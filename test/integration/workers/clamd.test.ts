// The scanner's protocol against a server that speaks it, and what becomes of an upload that it finds something in.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scan } from '../../../workers/lanes/clamd.ts'
import { fileSource } from '../../../workers/media/source.ts'
import { openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { noise } from '../../support/media/hostile.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { testProfile } from '../../support/profiles.ts'
import { daemon } from './scanner.ts'

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

const never = new AbortController().signal

describe('a scan', () => {
  it('sends every byte, and reads what was found', async () => {
    const clamd = await daemon(dir, () => 'stream: Eicar-Test-Signature FOUND')
    const source = await fileSource(await noise(corpus, 3_000_000))
    expect(await scan(`unix:${clamd.path}`, source, never)).toEqual({ found: 'Eicar-Test-Signature' })
    expect(clamd.received().equals(await source.readAt(0, source.bytes))).toBe(true)
    await clamd.close()
  })

  it('distinguishes a clean file from one that is too large to be scanned', async () => {
    const clean = await daemon(dir, () => 'stream: OK')
    const source = await fileSource(await noise(corpus, 3_000_000))
    expect(await scan(`unix:${clean.path}`, source, never)).toEqual({ found: null })
    await clean.close()
    const small = await daemon(dir, () => 'stream: OK', 100_000)
    expect(await scan(`unix:${small.path}`, source, never)).toEqual({ tooLarge: true })
    await small.close()
  })

  it('fails if clamd is unavailable, or could not scan', async () => {
    const source = await fileSource(await noise(corpus))
    await expect(scan(`unix:${dir}/nobody.sock`, source, never)).rejects.toThrow('ENOENT')
    const broken = await daemon(dir, () => "stream: Can't allocate memory ERROR")
    await expect(scan(`unix:${broken.path}`, source, never)).rejects.toThrow('allocate memory')
    await broken.close()
  })
})

describe('an upload with malware in it', () => {
  it('is rejected after the complete file was read', async () => {
    const clamd = await daemon(dir, () => 'stream: Doc.Malware.Test FOUND')
    const stack = await openEnvironment({
      listens: false,
      lanes: MEDIA_LANES,
      env: { CLAMD_URL: `unix:${clamd.path}` },
      profiles: [testProfile(({ inspectionRejects }) => inspectionRejects?.push('MALWARE'))],
    })
    try {
      await stack.start(QUICK)
      await stack.commitHead('a')
      const id = await stack.upload(await pdf(corpus, 'a.pdf'), { submissionId: 'a', slot: 'plan' })
      const record = await stack.until(id, ({ state }) => state === 'rejected')
      expect(record.problems).toMatchObject([{ code: 'MALWARE', actual: 'Doc.Malware.Test' }])
      expect(record.checks).toContainEqual({ name: 'malware', state: 'failed' })
    } finally {
      await stack.close()
      await clamd.close()
    }
  })
})
