// A file that a profile refused and a changed profile takes: it was never read, so everything that reads is due.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { uploadClaims } from '../../../src/evidence/receipts.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import type { ProfileData } from '../../../src/submissions/profiles/schema.ts'
import { putSubmission } from '../../../src/submissions/put-submission.ts'
import { OWNER } from '../../support/drafts.ts'
import { type Environment, openEnvironment } from '../../support/environment.ts'
import { MEDIA_LANES, QUICK } from '../../support/environment-worker.ts'
import { type Corpus, createCorpus } from '../../support/media/corpus.ts'
import { pdf } from '../../support/media/pdfs.ts'
import { lesson } from '../../support/media/videos.ts'
import { testProfile } from '../../support/profiles.ts'
import { type Daemon, daemon } from './scanner.ts'

let corpus: Corpus
let dir: string
let clean: Daemon
let stack: Environment

/** Twice the pages and seconds. */
function generous({ slots }: ProfileData): void {
  for (const { media } of slots)
    for (const rules of media) {
      if (rules.maxDurationSeconds !== undefined) rules.maxDurationSeconds *= 2
      if (rules.maxPages !== undefined) rules.maxPages *= 2
    }
}

beforeAll(async () => {
  corpus = await createCorpus()
  dir = await mkdtemp(join(tmpdir(), 'songngan-rejudged-'))
  clean = await daemon(dir, () => 'stream: OK')
  stack = await openEnvironment({
    listens: false,
    lanes: MEDIA_LANES,
    env: { CLAMD_URL: `unix:${clean.path}` },
    profiles: [{ ...testProfile(generous), version: 2 }],
  })
  await stack.start(QUICK)
})
afterAll(async () => {
  await stack?.close()
  await clean?.close()
  await corpus?.remove()
  await rm(dir, { recursive: true, force: true })
})

const isInspected = ({ lanes }: UploadRecord) => lanes.inspect?.doneAt !== undefined
const pin = async (id: string, profile: string) =>
  await putSubmission({ ...stack.deps, uniqueKeys: stack.deps.uniqueKeys }, OWNER, id, { profile })

describe.each([
  ['a film', 'clip', () => lesson(corpus, { seconds: 10 })],
  ['a PDF', 'plan', () => pdf(corpus, 'six.pdf', { pages: 6 })],
])('%s that was too long, by a profile that takes it', (name, slot, file) => {
  it('is read, scanned and decoded like any other, and its receipt becomes final', async () => {
    const submissionId = name.replaceAll(' ', '-')
    await stack.commitHead(submissionId)
    const id = await stack.upload(await file(), { submissionId, slot })
    const rejected = await stack.until(id, ({ state }) => state === 'rejected')
    expect(rejected.sha256).toBeNull()

    await pin(submissionId, 'test@2')
    const accepted = await stack.latest(id)
    expect(accepted.state).toBe('accepted')
    const made = accepted.checks.filter(({ state }) => state !== 'pending').map((check) => check.name)
    for (const unread of ['decodable', 'silence', 'black', 'frozen', 'lengths', 'duplicate', 'malware'])
      expect(made).not.toContain(unread)

    const record = await stack.until(id, (now) => now.state === 'ready' && isInspected(now))
    expect(record.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(record.checks).toContainEqual({ name: 'malware', state: 'passed' })
    expect(record.checks.filter(({ state }) => state !== 'passed')).toEqual([])
    expect(uploadClaims(record, await stack.deps.heads.latest(OWNER, submissionId))).toMatchObject({
      kind: 'final',
    })
  })
})

it('a file that was ready, then rejected and accepted again becomes ready again', async () => {
  await stack.commitHead('to-and-fro', { profile: 'test@2' })
  const id = await stack.upload(await lesson(corpus, { seconds: 11 }), { submissionId: 'to-and-fro' })
  const first = await stack.until(id, (now) => now.state === 'ready' && isInspected(now))
  await pin('to-and-fro', 'test@1')
  expect(await stack.latest(id)).toMatchObject({ state: 'rejected' })
  await pin('to-and-fro', 'test@2')
  const again = await stack.until(id, (now) => now.state === 'ready' && isInspected(now))
  expect(again.renditions).toEqual(first.renditions)
  expect(again.sha256).toBe(first.sha256)
})
