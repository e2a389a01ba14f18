// One file that was handed in: its record, its bytes, and orphans in its folder.

import type { UploadRecord } from '../../../src/records/upload-record.ts'
import { sha256 } from '../../../test/support/bytes.ts'
import type { HandedFile } from '../model.ts'
import type { Stage } from '../stage/stage.ts'
import { folderOf, versionsOf } from './records.ts'

const ACCEPTED = ['upload.accepted']
const VERDICTS = [...ACCEPTED, 'upload.rejected', 'upload.cancelled', 'upload.expired']

/** True when all work on a file is done. */
export async function isAtItsEnd({ bytes }: Stage, { id, end }: HandedFile): Promise<boolean> {
  const record = (await versionsOf(bytes, id)).at(-1)
  if (record === undefined) return end === 'cancelled' || end === 'expired'
  if (end === 'erased') return record.erasedAt !== undefined
  if (record.state !== end) return false
  if (end === 'ready') return record.object.parts === undefined && record.lanes.inspect?.doneAt !== undefined
  return end !== 'rejected' || record.mediaErasedAt !== undefined
}

/** Errors of one file, as texts. */
export async function auditFile(stage: Stage, file: HandedFile): Promise<string[]> {
  const versions = await versionsOf(stage.bytes, file.id)
  const record = versions.at(-1)
  const errors: string[] = []
  const keys = await stage.bytes.list(folderOf(file.id))
  if (file.end === 'erased') return keys.length === 1 ? [] : keys.map((key) => `left of what was erased: ${key}`)
  const numbers = versions.map(({ version }) => version)
  // The first version of a small file on S3 is in its object's metadata: it is deleted with the object (retention, join, end).
  const single = versions[0]?.object.key ?? ''
  const first = single.startsWith(`${folderOf(file.id)}one-`) && !keys.includes(single) ? 2 : 1
  if (numbers.some((version, i) => version !== i + first)) errors.push(`versions ${numbers.join(' ')}`)
  if (record === undefined) {
    if (file.end === 'ready' || file.end === 'rejected') errors.push('no record')
    return [...errors, ...keys.map((key) => `orphan ${key}`)]
  }
  if (record.state !== file.end) errors.push(`${record.state} instead of ${file.end}: ${lanesOf(record)}`)
  const verdicts = versions.filter(({ event }) => VERDICTS.includes(event ?? ''))
  if (verdicts.length !== 1) errors.push(`outcomes: ${verdicts.map(({ event }) => event).join(' ') || 'none'}`)
  const kept = await keptKeys(stage, file, record, errors)
  for (const key of keys)
    if (!key.startsWith(`${folderOf(file.id)}record-`) && !kept.has(key)) errors.push(`orphan ${key}`)
  return errors
}

function lanesOf({ lanes, error }: UploadRecord): string {
  return JSON.stringify({ ...lanes, error })
}

/** Keys that a record lists; adds an error for each whose content differs from what was handed in. */
async function keptKeys(stage: Stage, file: HandedFile, record: UploadRecord, errors: string[]): Promise<Set<string>> {
  if (file.end !== 'ready') return new Set()
  const kept = new Set([record.object.key])
  for (const { key, bytes, name } of record.renditions.filter(({ state }) => state === 'ready')) {
    if (key === undefined) continue
    kept.add(key)
    const length = (await stage.bytes.read(key)).length
    if (length !== bytes) errors.push(`rendition ${name} has ${length} bytes, not ${bytes}`)
  }
  const digest = sha256(await stage.bytes.read(record.object.key))
  if (digest !== file.sha256) errors.push('the stored file differs from the file that was sent')
  if (record.sha256 !== file.sha256) errors.push('the recorded SHA-256 is not that of the file')
  if (record.receivedBytes !== file.bytes) errors.push(`${record.receivedBytes} bytes of ${file.bytes}`)
  return kept
}
