// The span of one run of a job, by OpenTelemetry's conventions for messaging.

import type { Job } from 'bullmq'
import type { Attributes, Span, Tracing } from '../../src/core/span.ts'
import { type Lane, traceOfJob } from '../../src/jobs/contract.ts'

/** Belongs to the span that queued the job; each attempt is a span of its own. */
export function startJobSpan(tracing: Tracing, lane: Lane, job: Job, attributes: Attributes = {}): Span {
  return tracing.start(`process ${lane}`, {
    kind: 'consumer',
    parent: traceOfJob(job),
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': lane,
      'songngan.job.attempt': job.attemptsMade + 1,
      ...attributes,
    },
  })
}
