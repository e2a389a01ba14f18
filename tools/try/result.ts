// The end of a trial: the documents, the missing files, and the link to the video.

import type { SubmissionDocument, UploadDocument } from '../../src/submissions/document/schemas.ts'
import { bytesInWords } from '../lib/words.ts'
import { submissionLines, uploadLines } from './documents.ts'
import type { Trial } from './trial.ts'

const RANGE_BYTES = 1024

export async function showResult(
  { portal, page, submissionId }: Trial,
  uploads: readonly UploadDocument[],
  json: boolean,
): Promise<void> {
  const submission = await portal.submission(submissionId)
  for (const document of uploads) {
    for (const text of uploadLines(document)) page.note(text)
    page.line()
  }
  for (const text of submissionLines(submission)) page.note(text)
  const empty = emptySlots(submission)
  const named = [...submission.missing].sort().join(', ')
  page.check(
    named === empty.join(', '),
    `missing lists the empty slots: ${named || 'there are none'}`,
    `missing lists ${named || 'nothing'}, but the empty slots are: ${empty.join(', ') || 'none'}`,
  )
  if (json) page.line(JSON.stringify({ submission, uploads }, null, 2))
}

/** Slots that require a file and have none, from the slots' own fields. */
function emptySlots({ slots }: SubmissionDocument): string[] {
  return slots
    .filter(({ min, counted, alternativeTo }) => counted.length < min && alternativeTo === undefined)
    .map(({ slot }) => slot)
    .sort()
}

/** Gets links, prints the one to watch or read, and fetches a part of it as a player does. */
export async function showLinks({ portal, page }: Trial, uploads: readonly UploadDocument[]): Promise<void> {
  for (const { id, slot, state, renditions } of uploads) {
    if (state !== 'ready') continue
    const links = await portal.links(id)
    const mp4 = renditions.find(({ kind, state: made }) => kind === 'mp4' && made === 'ready')?.name
    const link = links.find(({ name }) => name === (mp4 ?? 'original'))
    if (link === undefined) {
      page.fail(`${slot}: no link to ${mp4 ?? 'original'} among ${links.map(({ name }) => name).join(', ')}`)
      continue
    }
    const wanted = Math.min(RANGE_BYTES, link.bytes)
    const response = await fetch(link.url, { headers: { range: `bytes=0-${wanted - 1}` } })
    const { byteLength } = await response.arrayBuffer()
    page.check(
      response.status === 206 && byteLength === wanted,
      `${slot}: ${link.name}, ${bytesInWords(link.bytes)}, a range request answers 206`,
      `${slot}: a range request answers ${response.status} with ${byteLength} bytes instead of 206 with ${wanted}`,
    )
    page.note(`${mp4 === undefined ? 'read' : 'watch'}: ${link.url}`)
  }
}
