import { describe, expect, it } from 'vitest'
import type { Rendition } from '../../../../src/records/upload-record.ts'
import { computeUpload, type UploadFacts } from '../../../../src/submissions/document/upload.ts'
import { minute, video } from '../support.ts'

function facts(changes: Partial<UploadFacts> = {}): UploadFacts {
  return {
    id: 'u',
    submissionId: 'S1',
    slot: 'teaching_video',
    revision: 1,
    state: 'accepted',
    sequence: 7,
    declared: { filename: 'วีดิทัศน์.mp4', type: 'video/mp4', bytes: 1000 },
    receivedBytes: 1000,
    createdAt: minute(1),
    storedAt: minute(2),
    late: false,
    sha256: null,
    measured: video(),
    checks: [{ name: 'duration', state: 'passed' }],
    problems: [],
    renditions: [],
    error: null,
    ...changes,
  }
}

const made = (changes: Partial<Rendition>): Rendition => ({
  name: 'video',
  kind: 'mp4',
  required: true,
  state: 'ready',
  ...changes,
})
const show = (changes: Partial<UploadFacts> = {}) => computeUpload({ record: facts(changes), superseded: false })

describe('computeUpload', () => {
  it('shows the record, without object keys', () => {
    const document = computeUpload({
      record: facts({
        renditions: [made({ key: 'secret/key', contentType: 'video/mp4', deliverable: true, bytes: 5 })],
      }),
      superseded: true,
    })
    expect(document).toMatchObject({
      id: 'u',
      slot: 'teaching_video',
      sequence: 7,
      superseded: true,
      revision: 1,
    })
    expect(document.renditions).toEqual([
      { name: 'video', kind: 'mp4', required: true, state: 'ready', deliverable: true, bytes: 5 },
    ])
    expect(JSON.stringify(document)).not.toContain('secret')
  })

  it.each([
    ['receiving', false],
    ['stored', false],
    ['checking', false],
    ['accepted', true],
    ['ready', true],
    ['rejected', false],
    ['failed', false],
    ['expired', false],
    ['cancelled', false],
  ] as const)('%s is accepted: %s', (state, accepted) => {
    expect(show({ state }).accepted).toBe(accepted)
  })

  it.each<[string, Partial<Rendition>[], UploadFacts['state'], boolean]>([
    ['a video', [{}], 'accepted', true],
    ['a page', [{ name: 'page', kind: 'page' }], 'ready', true],
    ['only a poster', [{ name: 'poster', kind: 'poster' }], 'accepted', false],
    ['one still being made', [{ state: 'running' }], 'accepted', false],
    ['one that failed, and another that is ready', [{ state: 'failed' }, { name: 'low' }], 'accepted', true],
    ['one of a file rejected since', [{}], 'rejected', false],
  ])('with %s ready', (_, renditions, state, playable) => {
    expect(show({ state, renditions: renditions.map(made) }).playable).toBe(playable)
  })

  it.each<[UploadFacts['state'], string[]]>([
    ['accepted', ['ready', 'running', 'waiting', 'failed']],
    ['rejected', ['ready', 'skipped', 'skipped', 'failed']],
    ['cancelled', ['ready', 'skipped', 'skipped', 'failed']],
  ])('of a file that is %s, waits for renditions only where they will come', (state, states) => {
    const renditions = (['ready', 'running', 'waiting', 'failed'] as const).map((each) => made({ state: each }))
    const shown = show({ state, renditions }).renditions
    expect(shown.map((rendition) => rendition.state)).toEqual(states)
    const reason = `UPLOAD_${state.toUpperCase()}`
    for (const each of shown) expect(each.reason).toBe(each.state === 'skipped' ? reason : undefined)
  })

  it('shows since when its media are deleted by retention', () => {
    const mediaRemovedAt = '2026-11-21T08:00:00.000Z'
    expect(show({ mediaRemovedAt })).toMatchObject({ mediaRemovedAt })
    expect(show()).not.toHaveProperty('mediaRemovedAt')
  })

  it('uses the newer of record and upload session for the received bytes', () => {
    const receiving = facts({ state: 'receiving', receivedBytes: 200, storedAt: null })
    const at = (receivedBytes: number) =>
      computeUpload({ record: receiving, hot: { receivedBytes }, superseded: false })
    expect(at(999)).toMatchObject({ receivedBytes: 999, progress: { step: 'receive', percent: 99 } })
    expect(at(100)).toMatchObject({ receivedBytes: 200, progress: { percent: 20 } })
  })

  it('has no percentage while the length is deferred', () => {
    const declared = { filename: null, type: null, bytes: null }
    expect(show({ state: 'receiving', declared }).progress).toEqual({
      step: 'receive',
      percent: null,
      etaSeconds: null,
      queuePosition: null,
    })
  })

  it.each([
    ['stored', 'validate', null],
    ['checking', 'validate', null],
    ['failed', 'validate', null],
    ['accepted', 'transcode', null],
    ['ready', 'done', 100],
    ['rejected', 'done', 100],
    ['expired', 'done', null],
  ] as const)('%s is at step %s by default', (state, step, percent) => {
    expect(show({ state }).progress).toMatchObject({ step, percent })
  })

  it('shows the progress of a worker', () => {
    const progress = { step: 'transcode', percent: 42, etaSeconds: 90 } as const
    expect(computeUpload({ record: facts(), progress, superseded: false }).progress).toEqual({
      ...progress,
      queuePosition: null,
    })
  })

  it('computes lateness by the current dates, if given', () => {
    const record = facts({ late: true })
    expect(computeUpload({ record, superseded: false })).toMatchObject({ late: true, repaired: false })
    const standing = { late: false, repaired: false }
    expect(computeUpload({ record, superseded: false, standing }).late).toBe(false)
    expect(computeUpload({ record, superseded: false, revision: 2 }).revision).toBe(2)
  })
})
