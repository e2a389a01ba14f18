// What only reviewers are told about a submission. A route of its own, so that portals can pass on every document to whoever
// hands in.

import Type from 'typebox'
import { type Auth, submissionOf } from '../auth/authenticate.ts'
import { problems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'
import { FileProblemSchema } from '../submissions/document/schemas.ts'
import { loadSubmission } from '../submissions/documents.ts'
import { type ReviewDeps, reviewProblems } from '../submissions/review.ts'
import { SubmissionId } from './submission-schemas.ts'

export type ReviewApiDeps = ReviewDeps & { auth: Auth }

const ReviewAnswer = Type.Object(
  {
    problems: Type.Array(
      Type.Object(
        {
          ...FileProblemSchema.properties,
          upload: Type.String(),
          slot: Type.String(),
          other: Type.Object({
            submissionId: Type.String(),
            upload: Type.String(),
            slot: Type.String(),
            storedAt: Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' }),
          }),
        },
        { title: 'ReviewProblem', description: 'About one of the files that count; at most 20 for each' },
      ),
    ),
  },
  { title: 'Review', description: 'What only reviewers are told' },
)

export function reviewApi(api: Api, deps: ReviewApiDeps): void {
  const { auth } = deps
  api.get(
    '/v1/submissions/:id/review',
    {
      onRequest: auth.requirePortalOrSession('review'),
      schema: {
        tags: ['submissions'],
        operationId: 'getReview',
        summary: 'Read what only reviewers are told',
        description:
          '`DUPLICATE_ELSEWHERE`: a file that counts has the same bytes as one that another person has handed in, or is about to, ' +
          'under the same profile. `actual` is the other submission. For the portal, and for sessions with `review`; it stands ' +
          'in no document and no event. The same person (`person` of the submission, else `subject`) may use a file again.',
        params: SubmissionId,
        response: {
          200: ReviewAnswer,
          ...problems(['ID_INVALID', 'SUBMISSION_UNKNOWN', 'SUBMISSION_DELETED', 'PROFILE_UNKNOWN', 'RATE_LIMITED']),
        },
      },
    },
    async (request, reply) => {
      const { owner, id } = submissionOf(auth.caller(request), request.params.id)
      const found = await reviewProblems(deps, await loadSubmission(deps, owner, id))
      return await reply.header('cache-control', 'private, no-store').send({ problems: found })
    },
  )
}
