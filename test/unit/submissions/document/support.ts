// A submission of teacher.K2 with everything handed in, and ways to look at its document.

import type { SubmissionHead } from '../../../../src/records/submission-head.ts'
import { computeSubmission } from '../../../../src/submissions/document/submission.ts'
import type { DocumentView } from '../../../../src/submissions/document/views.ts'
import type { Profile } from '../../../../src/submissions/profiles/profile.ts'
import { catalogue, head, lasting, minute, pdf, video, view } from '../support.ts'

export const K2 = catalogue.pin('teacher.K2')
export const NOW = Date.parse(minute(500))

export function document(uploads: DocumentView[], changes: Partial<SubmissionHead> = {}, profile: Profile = K2) {
  return computeSubmission({ head: head({ profile: profile.key, ...changes }), profile, uploads, now: NOW })
}

/** All that teacher.K2 asks for. */
export const FULL = [
  view('plan', 'lesson_plan', 10, { measured: pdf() }),
  view('teach', 'teaching_video', 20, { measured: lasting(3000) }),
  view('insp', 'inspiration_video', 30, { measured: video() }),
  view('work', 'student_outcome', 40, { measured: pdf() }),
]
export const but = (id: string, ...instead: DocumentView[]) => [
  ...FULL.filter((upload) => upload.id !== id),
  ...instead,
]

export function slot(doc: ReturnType<typeof document>, id: string) {
  const found = doc.slots.find((candidate) => candidate.slot === id)
  if (!found) throw new Error(`the document has no slot ${id}`)
  return found
}
