// The portal's part before a file is sent: a submission, an endpoint for webhooks, and the stream of events.

import { randomBytes } from 'node:crypto'
import { retry } from '../../src/core/retry.ts'
import { Portal, PortalError } from '../lib/portal.ts'
import type { Settings } from '../lib/settings.ts'
import { UsageError } from '../lib/usage.ts'
import type { Page } from './page.ts'
import { followSubmission, type StreamEvent } from './stream.ts'
import { Bell, type Trial } from './trial.ts'
import { receiveWebhooks, type WebhookReceiver } from './webhooks.ts'

const DAY_MS = 24 * 3600 * 1000
/** Whoever begins both in a fresh clone is here before the service that was set up with it is. */
const STARTING = {
  holdMs: 30_000,
  firstPauseMs: 500,
  longestPauseMs: 500,
  isPassing: (error: unknown) => error instanceof TypeError,
}

export type TrialOptions = {
  settings: Settings
  /** The service is on another machine. */
  isStage: boolean
  profile: string
  page: Page
}

/** @param signal ends the stream; the caller closes `webhooks` */
export async function openTrial(options: TrialOptions, signal: AbortSignal): Promise<Trial> {
  const { settings, isStage, profile, page } = options
  const { base, apiKey, webhookSecret } = settings
  const bell = new Bell()
  const startedMs = performance.now()
  const trial: Trial = {
    page,
    bell,
    heard: [],
    webhooks: undefined,
    portal: new Portal({ base, apiKey }),
    submissionId: `try-${randomBytes(4).toString('hex')}`,
  }
  if (isStage) page.note('webhooks are not tested: the service cannot reach this machine')
  else if (webhookSecret === undefined) page.fail('no webhooks: WEBHOOK_SECRET is unknown')
  else trial.webhooks = await receiveWebhooks(webhookSecret, () => bell.ring())

  const first = () => createSubmission(trial, profile, trial.webhooks)
  const { profile: pinned } = await retry(first, STARTING).catch(async (error) => {
    await trial.webhooks?.close()
    throw inOneLine(error, base)
  })
  page.ok(`submission ${trial.submissionId}, profile ${pinned}, due in a day`)
  if (trial.webhooks !== undefined) page.ok(`webhooks to ${trial.webhooks.url}`)
  const listener = {
    onEvent: (event: StreamEvent) => {
      trial.heard.push({ ...event, atMs: performance.now() - startedMs })
      bell.ring()
    },
    onLost: (reason: string) => page.note(`event stream: ${reason}; reconnecting`),
  }
  await followSubmission(trial.portal, trial.submissionId, listener, signal)
  page.ok('listening to server-sent events')
  return trial
}

async function createSubmission(trial: Trial, profile: string, webhooks: WebhookReceiver | undefined) {
  const { portal, page, submissionId } = trial
  const body = {
    profile,
    deadline: new Date(Date.now() + DAY_MS).toISOString(),
    graceSeconds: 3600,
    metadata: { made: 'by npm run try' },
  }
  if (webhooks === undefined) return await portal.putSubmission(submissionId, body)
  try {
    return await portal.putSubmission(submissionId, { ...body, callbackUrl: webhooks.url })
  } catch (error) {
    const refused = error instanceof PortalError && error.status === 400 && error.body.includes('callbackUrl')
    if (!refused) throw error
    page.fail(
      'no webhooks: the service refuses this machine as callbackUrl; start it with WEBHOOK_ALLOW_HOSTS=127.0.0.1',
    )
    await webhooks.close()
    trial.webhooks = undefined
    return await portal.putSubmission(submissionId, body)
  }
}

/** The two most common mistakes as usage errors, without a stack. */
function inOneLine(error: unknown, base: URL): unknown {
  if (error instanceof TypeError) return new UsageError(`No response from ${base.href}: is \`npm start\` running?`)
  if (error instanceof PortalError && error.status === 401)
    return new UsageError('The service does not know this API key; set API_KEY, or DATA_DIR as for the service.')
  if (error instanceof PortalError && error.status === 404) return new UsageError(error.message)
  return error
}
