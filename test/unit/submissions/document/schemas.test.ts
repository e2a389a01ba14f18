// The schemas also write the answers: what they forget would silently be missing from them.

import Fastify from 'fastify'
import { Check } from 'typebox/value'
import { expect, it } from 'vitest'
import { SubmissionDocumentSchema, UploadDocumentSchema } from '../../../../src/submissions/document/schemas.ts'
import { computeSubmission } from '../../../../src/submissions/document/submission.ts'
import { computeUpload } from '../../../../src/submissions/document/upload.ts'
import { judge } from '../../../../src/submissions/rules/judge.ts'
import { catalogue, head, lasting, minute, slotOf, video, view } from '../support.ts'

async function served(schema: object, document: object): Promise<unknown> {
  const app = Fastify()
  app.get('/', { schema: { response: { 200: schema } } }, async () => document)
  const answer = await app.inject('/')
  await app.close()
  expect(answer.statusCode).toBe(200)
  return answer.json()
}

const measured = { ...lasting(3700, { container: 'mov', meanVolumeDb: -30 }), activeContent: ['x'] }
const { problems, checks } = judge({
  slot: slotOf('teacher.K2', 'teaching_video'),
  measured,
  declared: { filename: null, type: null, bytes: null },
  actualBytes: 5,
})

it.each([
  [
    'with everything',
    { measured, sha256: 'ab', storedAt: minute(2), error: { code: 'STORE_UNAVAILABLE', retryable: true } },
  ],
  ['with nothing', { measured: null, sha256: null, storedAt: null, error: null, submissionId: null, slot: null }],
])('an upload document %s passes the serializer whole', async (_, changes) => {
  const document = computeUpload({
    record: {
      id: 'u',
      submissionId: 'S1',
      slot: 'teaching_video',
      revision: 1,
      state: 'rejected',
      sequence: 3,
      declared: { filename: 'วีดิทัศน์.mov', type: null, bytes: null },
      receivedBytes: 5,
      createdAt: minute(1),
      late: false,
      checks,
      problems,
      renditions: [
        {
          name: 'video',
          kind: 'mp4',
          required: true,
          state: 'skipped',
          reason: 'r',
          deliverable: true,
          width: 1,
          height: 2,
          bytes: 3,
          sha256: 's',
          durationSeconds: 1.5,
        },
      ],
      ...changes,
    },
    superseded: false,
  })
  expect(problems.length).toBeGreaterThan(1)
  expect(Check(UploadDocumentSchema, document)).toBe(true)
  expect(await served(UploadDocumentSchema, document)).toEqual(document)
})

it.each([
  ['with everything', { deadline: minute(60), opensAt: minute(0), uniqueKey: 'k', metadata: { any: { thing: [1] } } }],
  ['with nothing', {}],
])('a submission document %s passes the serializer whole', async (_, changes) => {
  const profile = catalogue.pin('teacher.K2')
  const document = computeSubmission({
    head: head({
      profile: profile.key,
      revision: 2,
      slotMetadata: { lesson_plan: { plannedMinutes: 50, note: null } },
      revisions: [
        {
          revision: 1,
          sealedAt: minute(3),
          returnedAt: minute(4),
          reason: 'r',
          repairUntil: minute(9),
          uploads: { lesson_plan: ['a'] },
        },
      ],
      ...changes,
    }),
    profile,
    uploads: [
      view('u', 'teaching_video', 5, { state: 'rejected', problems }),
      view('v', 'student_outcome', 6, { measured: video() }),
      view('w', 'student_outcome', 7, { measured: video() }),
      view('l', 'inspiration_video', 90, { measured: video() }),
    ],
    now: Date.parse(minute(10)),
  })
  expect(Check(SubmissionDocumentSchema, document)).toBe(true)
  expect(await served(SubmissionDocumentSchema, document)).toEqual(document)
})
