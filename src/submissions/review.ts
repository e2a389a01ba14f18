// What only reviewers and operators are told about a hand-in: files that are in another person's hand-in too. Computed when
// they ask, from the records as they are; nothing of it stands in a record, a document or an event.

import type { SubmissionHead } from '../records/submission-head.ts'
import type { FileProblem, UploadRecord } from '../records/upload-record.ts'
import { loadIfThere } from './completeness-events.ts'
import type { SubmissionDocument } from './document/schemas.ts'
import type { DocumentDeps, LoadedSubmission } from './documents.ts'
import { findSlot } from './profiles/profile.ts'
import { problemOf } from './rules/texts.ts'
import type { SameContent } from './same-content.ts'

export type ReviewProblem = FileProblem & {
  upload: string
  slot: string
  other: { submissionId: string; upload: string; slot: string; storedAt: string | null }
}

export type ReviewDeps = DocumentDeps & { sameContent: Pick<SameContent, 'others'> }

/** Of one file: a template that thousands hand in is no news after some. */
const MAX_PROBLEMS = 20
const MAX_LOOKED_AT = 200

/** Problems of the files that count. `actual` is the id of the other submission. */
export async function reviewProblems(deps: ReviewDeps, loaded: LoadedSubmission): Promise<ReviewProblem[]> {
  const counted = new Set(loaded.document.slots.flatMap((slot) => slot.counted))
  const records = loaded.views.flatMap(({ record }) => (record !== undefined && counted.has(record.id) ? record : []))
  const found: ReviewProblem[] = []
  for (const record of records) found.push(...(await copiesOf(deps, loaded, record)))
  return found
}

async function copiesOf(deps: ReviewDeps, loaded: LoadedSubmission, record: UploadRecord): Promise<ReviewProblem[]> {
  const found: ReviewProblem[] = []
  let looked = 0
  for await (const other of deps.sameContent.others(record)) {
    if (await isAnothers(deps, loaded, record, other)) found.push(problemOfCopy(loaded, record, other))
    if (found.length === MAX_PROBLEMS || ++looked === MAX_LOOKED_AT) break
  }
  return found
}

async function isAnothers(
  deps: ReviewDeps,
  { head, profile }: LoadedSubmission,
  record: UploadRecord,
  other: UploadRecord,
): Promise<boolean> {
  if (other.submissionId === null || other.submissionId === head.id) return false
  const theirs = await loadIfThere(deps, head.owner, other.submissionId)
  if (theirs?.profile.id !== profile.id || !handedIn(theirs.document).has(other.id)) return false
  const [person, theirPerson] = [personOf(head, record), personOf(theirs.head, other)]
  return person === null || person !== theirPerson
}

/** Where nobody is named, nobody is the same. */
function personOf({ person }: SubmissionHead, { subject }: UploadRecord): string | null {
  return person ?? subject
}

/** Files that count now, or that a seal lists. */
function handedIn({ revisions }: SubmissionDocument): Set<string> {
  return new Set(revisions.flatMap(({ uploads }) => Object.values(uploads).flat()))
}

function problemOfCopy({ profile }: LoadedSubmission, record: UploadRecord, other: UploadRecord): ReviewProblem {
  const slot = record.slot ?? ''
  const { submissionId, id: upload, slot: otherSlot, storedAt } = other
  const name = findSlot(profile, slot)?.shortLabel ?? { th: 'ไฟล์', en: 'file' }
  return {
    ...problemOf('DUPLICATE_ELSEWHERE', 'advise', { name, actual: submissionId ?? '' }),
    upload: record.id,
    slot,
    other: { submissionId: submissionId ?? '', upload, slot: otherSlot ?? '', storedAt },
  }
}
