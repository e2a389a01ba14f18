// What no record names is removed once an upload's lanes are done.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { objectKeys } from '../../../src/records/keys.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { LocalObjectStore } from '../../../src/storage/local.ts'
import { removeOrphans } from '../../../workers/lanes/orphans.ts'

const ID = 'a'.repeat(40)

test('orphaned tails, single objects and outputs are deleted; the record, the file and its renditions stay', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'songngan-orphans-'))
  try {
    const store = new LocalObjectStore(dir)
    const kept = [
      objectKeys.data(ID),
      `${objectKeys.uploadRecord(ID)}000001.json`,
      objectKeys.rendition(ID, 'mine', 'video.mp4'),
    ]
    const orphans = [
      objectKeys.tail(ID, 0, 'old'),
      objectKeys.single(ID, 'overtaken'),
      objectKeys.segment(ID, 7, 'late'),
      objectKeys.rendition(ID, 'lost', 'video.mp4'),
    ]
    for (const key of [...kept, ...orphans]) await store.createIfAbsent(key, Buffer.from(key))
    const record = {
      id: ID,
      object: { key: objectKeys.data(ID) },
      renditions: [{ name: 'video', key: objectKeys.rendition(ID, 'mine', 'video.mp4') }],
    } as unknown as UploadRecord
    expect(await removeOrphans(store, record)).toBe(orphans.length)
    const left: string[] = []
    for await (const { key } of store.list(objectKeys.upload(ID))) left.push(key)
    expect(left.toSorted()).toEqual(kept.toSorted())
    expect(await removeOrphans(store, record)).toBe(0)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
