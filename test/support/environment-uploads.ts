// Submissions and uploads of an environment, made by hand where the API, the tus endpoint and the workers would make them.

import { isoTime } from '../../src/core/clock.ts'
import { newToken } from '../../src/core/ids.ts'
import type { Deps } from '../../src/deps.ts'
import { receivingRecord } from '../../src/lifecycle/transitions.ts'
import type { EventBody, EventEnvelope } from '../../src/records/event-body.ts'
import { objectKeys } from '../../src/records/keys.ts'
import type { SubmissionHead } from '../../src/records/submission-head.ts'
import type { Measured, NextUpload, UploadRecord, UploadState } from '../../src/records/upload-record.ts'
import type { UploadDraft } from '../../src/records/upload-session.ts'
import { refreshCompleteness } from '../../src/submissions/completeness.ts'
import { sha256 } from './bytes.ts'
import { tick } from './clock.ts'
import { draftFor, newHead, OWNER } from './drafts.ts'
import { waitFor } from './http.ts'
import { type Details, noted, reached } from './records.ts'
import { idOf } from './tus.ts'

export function madeUploads(deps: Deps) {
  const { clock, config, heads, hot, store, uploads } = deps

  /** The head of a submission as it is, or a new one, with a change. */
  const commitHead = async (
    id: string,
    change: Partial<SubmissionHead> = {},
    owner = OWNER,
  ): Promise<SubmissionHead> => {
    const now = isoTime(clock.now())
    const { record } = await heads.commit(owner, id, (current) => ({
      ...(current ?? newHead(id, { owner, createdAt: now })),
      updatedAt: now,
      ...change,
    }))
    if (record === undefined) throw new Error('a submission is always committed')
    return record
  }

  const commit = async (
    id: string,
    decide: (current: UploadRecord, sequence: number) => NextUpload,
  ): Promise<UploadRecord> => {
    const { record } = await uploads.commit(id, async (current) => {
      if (current === undefined) throw new Error(`no record of ${id}`)
      const sequence = current.submissionId === null ? 0 : await heads.nextSequence(current.owner, current.submissionId)
      return decide(current, sequence)
    })
    if (record === undefined) throw new Error('an upload is always committed')
    return record
  }

  /** The next version, in a later state of the upload's life. */
  const reach = (id: string, state: UploadState, details: Details = {}): Promise<UploadRecord> =>
    commit(id, (current, sequence) => reached(current, state, { sequence, atMs: clock.now(), ...details }))

  /** The first record of an upload, with the event `upload.created`. */
  const commitFirst = async (draft: UploadDraft): Promise<UploadRecord> => {
    const object = { key: objectKeys.data(draft.id) }
    const sequence = draft.submissionId === null ? 0 : await heads.nextSequence(draft.owner, draft.submissionId)
    const { record } = await uploads.commit(draft.id, () => receivingRecord(draft, object, sequence))
    if (record === undefined) throw new Error('an upload is always committed')
    return record
  }

  /** What a tus POST would register: an upload without a stored byte. */
  const beginUpload = async (submissionId: string, slot: string, more: Partial<UploadDraft> = {}) => {
    tick(clock, 1) // two of one millisecond would be in the order of their random ids
    const draft = draftFor(submissionId, { slot, fingerprint: 'f1', createdAt: isoTime(clock.now()), ...more })
    const expiresAtMs = clock.now() + config.uploads.expiryMs
    await hot.create(draft, { size: draft.declared.bytes, expiresAtMs, partBytes: 1 })
    return draft
  }

  /** What the first stored bytes leave behind. */
  const receiveBytes = async (draft: UploadDraft, bytes = 400): Promise<void> => {
    await store.createIfAbsent(objectKeys.data(draft.id), Buffer.alloc(bytes, 7))
    const fence = newToken()
    await hot.acquire(draft.id, fence, 'test', { offset: 0 })
    await commitFirst(draft)
    const expiresAtMs = clock.now() + config.uploads.expiryMs
    await hot.saveProgress(draft.id, fence, { offset: bytes, expiresAtMs, version: 1 })
    await hot.release(draft.id, fence)
  }

  /** What the last byte leaves behind. */
  const storeUpload = async (draft: UploadDraft): Promise<void> => {
    await receiveBytes(draft, draft.declared.bytes ?? 1000)
    await reach(draft.id, 'stored', { bytes: draft.declared.bytes ?? 1000 })
    await hot.end(draft.id, 'stored', 60_000)
  }

  /** What a verdict leaves behind, with what follows from it for the submission. */
  const judgeUpload = async (id: string, verdict: 'accepted' | 'rejected', measured?: Measured) => {
    const record = await reach(id, verdict, measured === undefined ? {} : { measured })
    await refreshCompleteness(deps, record.owner, record.submissionId ?? '')
    return record
  }

  const stored = async (address: string): Promise<UploadRecord> => {
    const found = await uploads.fromStore(idOf(address))
    if (found === undefined) throw new Error(`no record of ${address}`)
    return found
  }

  const bodies = async (key: string): Promise<EventBody[]> => {
    const entries = await deps.redis.hot.xrange(key, '-', '+')
    return entries.map(([, fields]) => (JSON.parse(fields[1] ?? '') as EventEnvelope).body)
  }

  return {
    commitHead,
    commit,
    reach,
    /** The next version in the same state. */
    note: (id: string, change: Parameters<typeof noted>[1]): Promise<UploadRecord> =>
      commit(id, (current, sequence) => noted(current, { sequence, ...change })),
    putUpload: (submissionId: string, change: Partial<UploadDraft> = {}) => commitFirst(draftFor(submissionId, change)),
    beginUpload,
    receiveBytes,
    storeUpload,
    judgeUpload,

    async acceptedUpload(
      submissionId: string,
      slot: string,
      { measured, ...more }: Partial<UploadDraft> & { measured?: Measured } = {},
    ): Promise<UploadDraft> {
      tick(clock, 1000)
      const begun = await beginUpload(submissionId, slot, more)
      await storeUpload(begun)
      await judgeUpload(begun.id, 'accepted', measured)
      return begun
    },

    /** The record of an upload at an address, from the store. */
    record: stored,

    /** SHA-256 of what is stored, once it is one object. */
    async storedSha256(address: string): Promise<string> {
      const { object, receivedBytes } = await stored(address)
      await waitFor(async () => (await store.head(object.key))?.bytes === receivedBytes, {
        what: `${address} to be one object of ${receivedBytes} bytes`,
      })
      const chunks: Buffer[] = []
      for await (const chunk of await store.open(object.key)) chunks.push(chunk as Buffer)
      return sha256(Buffer.concat(chunks))
    },

    /** Events of a portal in the order in which readers see them. */
    events: (owner = OWNER) => bodies(deps.index.keys.events(owner)),
    /** The same of one submission. */
    eventsOf: (submissionId: string, owner = OWNER) => bodies(deps.index.keys.submissionEvents(owner, submissionId)),
  }
}
