// Audits the store at the end, directly in its directory: every file has the bytes that were sent, and there are no
// orphans.

import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { uploadIdOfKey } from '../../../src/records/keys.ts'
import type { UploadOutcome } from '../generator/messages.ts'
import { uploadId } from './uploads.ts'

export type StoreAudit = {
  /** null: not counted. */
  objects: number | null
  /** Files whose SHA-256 was compared: computed here, or by the service of a stage. */
  hashed: number
  errors: string[]
}

/** Received bytes of an upload: all of them, or a segment that begins at an offset. */
const PIECE = /^(?:data(?:-(?:[0-9a-f]+|joined))?|one-[^/]+|seg-(\d{14})-[^/]+)$/
/** Other objects of an upload: records and renditions. */
const BESIDE = /^(?:record-\d+(?:\.json)?|out\/[^/]+\/[^/]+)$/
const EXAMPLES = 3

/**
 * @param root the directory of the local store, or of the bucket under the S3 server
 * @param unfinished folders that must be empty after the run
 */
export async function auditStore(
  root: string,
  outcomes: readonly UploadOutcome[],
  unfinished: readonly string[],
): Promise<StoreAudit> {
  const wanted = new Map(outcomes.flatMap((one) => (one.failure === undefined ? [[uploadId(one), one]] : [])))
  const known = new Set(outcomes.map(uploadId))
  const keys = (await filesUnder(root)).filter((key) => !key.startsWith('.sgwtmp/'))
  const pieces = new Map<string, { key: string; begin: number }[]>()
  const orphans: string[] = []
  for (const key of keys) {
    if (!key.startsWith('uploads/')) continue
    const id = uploadIdOfKey(key)
    const name = id === undefined ? key : key.slice(key.indexOf(id) + id.length + 1)
    const piece = PIECE.exec(name)
    if (id === undefined || !known.has(id) || (piece === null && !BESIDE.test(name))) orphans.push(key)
    else if (piece !== null) pieces.set(id, [...(pieces.get(id) ?? []), { key, begin: Number(piece[1] ?? 0) }])
  }
  for (const folder of unfinished)
    if (existsSync(folder)) orphans.push(...(await filesUnder(folder)).map((name) => join(folder, name)))
  const wrong: string[] = []
  let hashed = 0
  for (const [id, outcome] of wanted) {
    const sha256 = await hashOf(root, pieces.get(id) ?? [], outcome?.plan.fileBytes ?? 0)
    if (sha256 !== undefined) hashed += 1
    if (sha256 !== outcome?.sha256) wrong.push(id)
  }
  const words = (what: string, list: string[]) =>
    list.length === 0 ? [] : [`${list.length} ${what}: ${list.slice(0, EXAMPLES).join(', ')}`]
  return {
    objects: keys.length,
    hashed,
    errors: [...words('files without the bytes that were sent', wrong), ...words('orphan objects', orphans)],
  }
}

/** SHA-256 of segments sorted by offset; each counts up to the offset of the next one. */
async function hashOf(
  root: string,
  pieces: readonly { key: string; begin: number }[],
  bytes: number,
): Promise<string | undefined> {
  const sorted = [...pieces].sort((a, b) => a.begin - b.begin)
  if (sorted[0]?.begin !== 0) return undefined
  const hash = createHash('sha256')
  for (const [i, { key, begin }] of sorted.entries()) {
    const end = sorted[i + 1]?.begin ?? bytes
    if (end === begin) continue
    for await (const chunk of createReadStream(join(root, key), {
      end: end - begin - 1,
      highWaterMark: 1 << 20,
    }))
      hash.update(chunk as Buffer)
  }
  return hash.digest('hex')
}

async function filesUnder(root: string): Promise<string[]> {
  if (!existsSync(root)) return []
  if ((await stat(root)).isFile()) return ['']
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries.flatMap((entry) => (entry.isFile() ? [relative(root, join(entry.parentPath, entry.name))] : []))
}
