// Records as stored: numbered files, or the metadata of an object that is its own first record.

import { shardOfUpload } from '../../../src/core/ids.ts'
import { objectKeys } from '../../../src/records/keys.ts'
import type { SubmissionHead } from '../../../src/records/submission-head.ts'
import type { UploadRecord } from '../../../src/records/upload-record.ts'
import type { Bytes } from '../stage/bytes.ts'
import { OWNER } from '../stage/stage.ts'

export function folderOf(id: string): string {
  return `uploads/${shardOfUpload(id)}/${id}/`
}

/** All versions of an upload's record, oldest first. */
export async function versionsOf(bytes: Bytes, id: string): Promise<UploadRecord[]> {
  const folder = folderOf(id)
  const versions: UploadRecord[] = []
  const keys = await bytes.list(folder)
  const single = keys.find((key) => key.startsWith(`${folder}one-`))
  const encoded = single === undefined ? undefined : (await bytes.metadata(single))['record']
  if (encoded !== undefined && single !== undefined) {
    const record = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as UploadRecord
    versions.push({ ...record, object: { key: single } })
  }
  for (const key of keys.filter((name) => name.startsWith(`${folder}record-`)))
    versions.push(JSON.parse((await bytes.read(key)).toString('utf8')) as UploadRecord)
  // A record file wins over an object with the same version number: that object's commit did not count.
  const byNumber = new Map(versions.map((record) => [record.version, record]))
  return [...byNumber.values()].sort((a, b) => a.version - b.version)
}

export async function headsOf(bytes: Bytes, submissionId: string): Promise<SubmissionHead[]> {
  const heads: SubmissionHead[] = []
  for (const key of await bytes.list(objectKeys.submission(OWNER, submissionId)))
    heads.push(JSON.parse((await bytes.read(key)).toString('utf8')) as SubmissionHead)
  return heads
}
