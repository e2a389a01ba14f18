// Lane `notify`: one delivery of one event to one address, as in Standard Webhooks. At least once; a receiver orders by
// `sequence` and detects repeats by `webhook-id`. Only 2xx is success.

import { type Job, UnrecoverableError } from 'bullmq'
import type { AllowedHosts } from '../../src/core/addresses.ts'
import { type Clock, isoTime } from '../../src/core/clock.ts'
import { faultPoint } from '../../src/core/fault-points.ts'
import type { Logger } from '../../src/core/logger.ts'
import type { Metrics } from '../../src/core/metrics.ts'
import type { RedisConnection } from '../../src/core/redis.ts'
import { type Attributes, errorType, type Span, type Tracing, traced } from '../../src/core/span.ts'
import type { Deliveries } from '../../src/events/webhooks.ts'
import type { NotifyJob } from '../../src/jobs/contract.ts'
import type { EventBody } from '../../src/records/event-body.ts'
import { AddressRefused, allowedAddresses, type Resolve } from '../notify/address-guard.ts'
import { GoneEndpoints } from '../notify/gone-endpoints.ts'
import { type Answer, post } from '../notify/post.ts'
import { DeliveryError, retryAfterMs } from '../notify/schedule.ts'
import { signedHeaders } from '../notify/signature.ts'
import { JobReleased, SHUTDOWN } from './job-released.ts'
import { startJobSpan } from './job-span.ts'

export { webhookBackoff } from '../notify/schedule.ts'

/** Includes name resolution. Standard Webhooks recommends 15 to 30 s. */
const TIMEOUT_MS = 20_000

export type NotifyDeps = {
  redis: RedisConnection
  clock: Clock
  logger: Logger
  metrics: Pick<Metrics, 'webhookDeliveries'>
  tracing: Tracing
  webhooks: { secrets: readonly string[]; allowed: AllowedHosts }
  /** Delivery records, which survive a loss of the queue. */
  deliveries: Pick<Deliveries, 'has' | 'note'>
  /** For tests: another resolver, a shorter time. */
  resolve?: Resolve
  timeoutMs?: number
}

/** `status` 0: already delivered before. */
export type Delivered = { status: number; milliseconds: number }

type Outcome = 'delivered' | 'rejected' | 'unreachable' | 'timeout' | 'refused' | 'gone' | 'disabled' | 'repeated'

/**
 * The processor of the lane; give its worker `settings: { backoffStrategy: webhookBackoff }`. It throws DeliveryError
 * for failures that may succeed later, UnrecoverableError for an endpoint that is gone, and JobReleased where the worker stops. Failed jobs stay in the
 * queue for seven days and can be retried by hand.
 */
export function createNotifyProcessor(
  deps: NotifyDeps,
): (job: Job<NotifyJob>, token?: string, signal?: AbortSignal) => Promise<Delivered> {
  const gone = new GoneEndpoints(deps.redis)
  const underWay = new Map<string, Promise<Delivered>>()

  const deliverOnce = async (
    job: Job<NotifyJob>,
    cancelled: AbortSignal | undefined,
    span: Span,
  ): Promise<Delivered> => {
    const { owner, url, eventId } = job.data
    if (!URL.canParse(url)) throw new UnrecoverableError('the address is not a URL')
    const target = new URL(url)
    const logger = deps.logger.child({ jobId: job.id, eventId, owner, host: target.host })
    const startedMs = deps.clock.now()
    const attempt = job.attemptsMade + 1
    const report = async (outcome: Outcome, words: string) => {
      const milliseconds = deps.clock.now() - startedMs
      deps.metrics.webhookDeliveries.inc({ outcome })
      span.set({ 'songngan.job.outcome': outcome })
      logger[outcome === 'delivered' ? 'info' : 'warn']({ outcome, attempt, milliseconds }, `webhook: ${words}`)
      await noted(job, `${isoTime(deps.clock.now())} attempt ${attempt}: ${words} (${milliseconds} ms)`, logger)
      return milliseconds
    }

    // The job was re-queued after a loss of the queue or of its worker.
    if (await deps.deliveries.has(job.data))
      return { status: 0, milliseconds: await report('repeated', 'delivered before') }

    const goneSince = await gone.since(owner, url)
    if (goneSince !== undefined) {
      await report('disabled', `endpoint disabled, it answered 410 Gone at ${goneSince}`)
      throw new UnrecoverableError(`endpoint disabled since ${goneSince}: 410 Gone`)
    }

    const deadline = AbortSignal.timeout(deps.timeoutMs ?? TIMEOUT_MS)
    const signal = cancelled === undefined ? deadline : AbortSignal.any([deadline, cancelled])
    let answer: Answer
    try {
      faultPoint('notify.before-post')
      answer = await deliver(target, job, { ...deps, trace: span.traceparent }, signal)
      faultPoint('notify.after-post')
    } catch (error) {
      // The receiver is not the cause, and may have it already: at least once.
      if (cancelled?.reason === SHUTDOWN) throw new JobReleased()
      const [outcome, words] = explain(error, deadline)
      await report(outcome, words)
      throw new DeliveryError(words, { cause: error })
    }

    const { status, headers } = answer
    if (status >= 200 && status < 300) {
      // First of all: from here on another delivery would be a repeat.
      await deps.deliveries.note(job.data, isoTime(deps.clock.now())).catch((err: unknown) => {
        logger.warn(
          { err },
          'delivered, but the delivery note could not be written; after a loss of Redis it may be delivered again',
        )
      })
      return { status, milliseconds: await report('delivered', `HTTP ${status}`) }
    }
    if (status === 410) {
      await gone.disable(owner, url, isoTime(deps.clock.now()))
      await report('gone', 'HTTP 410 Gone: endpoint disabled for a day')
      throw new UnrecoverableError('HTTP 410 Gone')
    }
    const words = status >= 300 && status < 400 ? `HTTP ${status}, redirects are not followed` : `HTTP ${status}`
    await report('rejected', words)
    const asks = status === 429 || status === 503
    throw new DeliveryError(words, {
      retryAfterMs: asks ? retryAfterMs(headers['retry-after'], deps.clock.now()) : undefined,
    })
  }

  return async (job, _token, cancelled) => {
    const line = lineOf(job.data)
    // One after the other, in the order of the queue: a receiver hears of a submission in the order in which it changed. And a run that
    // lost its lock, as after this process hung, may be about to record what this one would post again.
    for (let other = underWay.get(line); other !== undefined; other = underWay.get(line))
      await Promise.allSettled([other])
    const span = startJobSpan(deps.tracing, 'notify', job, deps.tracing.on ? eventIn(job.data) : {})
    const run = deliverOnce(job, cancelled, span)
      .then(
        (delivered) => {
          span.end()
          return delivered
        },
        (error: unknown) => {
          span.end(error instanceof JobReleased ? undefined : errorType(error))
          throw error
        },
      )
      .finally(() => underWay.delete(line))
    underWay.set(line, run)
    return await run
  }
}

/** Deliveries that wait for each other: those of one submission to one address. */
function lineOf({ owner, url, body }: NotifyJob): string {
  const { data } = JSON.parse(body) as EventBody
  return `${owner}/${data.submissionId} ${url}`
}

/** A job that was lost with the queue has no log; the result of its delivery still counts. */
async function noted(job: Job<NotifyJob>, line: string, logger: Logger): Promise<void> {
  await job.log(line).catch((err: unknown) => logger.warn({ err }, 'the log of the job could not be written'))
}

async function deliver(
  target: URL,
  job: Job<NotifyJob>,
  deps: NotifyDeps & { trace: string | undefined },
  signal: AbortSignal,
): Promise<Answer> {
  const { eventId, body } = job.data
  const { webhooks, resolve } = deps
  const addresses = await Promise.race([
    allowedAddresses(target, {
      allowed: webhooks.allowed,
      ...(resolve === undefined ? {} : { resolve }),
    }),
    aborted(signal),
  ])
  const span = startPostSpan(deps, target, job.attemptsMade)
  const { traceparent } = span
  const send = () =>
    post(target, {
      addresses,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Songngan-Webhooks/1',
        ...(traceparent === undefined ? {} : { traceparent }),
        ...signedHeaders(eventId, body, webhooks.secrets, deps.clock.now()),
      },
      body,
      signal,
    })
  return await traced(span, send, ({ status }) => {
    span.set({ 'http.response.status_code': status })
    return status >= 400 ? String(status) : undefined
  })
}

/** Not its id, nor that of its job: those of submissions' events have the submission's id in them, which portals choose. */
function eventIn({ body }: NotifyJob): Attributes {
  const { type, data } = JSON.parse(body) as EventBody
  return { 'songngan.event.type': type, 'songngan.upload.id': data.uploadId }
}

/** By OpenTelemetry's conventions for HTTP clients. Portals put credentials into paths and queries of their addresses. */
function startPostSpan(
  { tracing, trace }: { tracing: Tracing; trace: string | undefined },
  target: URL,
  before: number,
) {
  const { hostname, port, protocol, origin } = target
  return tracing.start('POST', {
    kind: 'client',
    parent: trace,
    attributes: {
      'http.request.method': 'POST',
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'url.full': `${origin}/REDACTED`,
      ...(before === 0 ? {} : { 'http.request.resend_count': before }),
    },
  })
}

/** The system's resolver cannot be interrupted, so only the wait for it is. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function explain(error: unknown, deadline: AbortSignal): [Outcome, string] {
  if (error instanceof AddressRefused) return ['refused', error.message]
  if (deadline.aborted) return ['timeout', 'no answer in time']
  const { code, message } = error as NodeJS.ErrnoException
  return ['unreachable', code ?? message]
}
