// Standard Webhooks 1.0.0: `webhook-id` is the event's id and is the same in retries, `webhook-timestamp` is the time of
// the attempt, `webhook-signature` has one signature per secret, so that a receiver may use the old or the new secret.

import { Webhook } from 'standardwebhooks'

export function signedHeaders(
  eventId: string,
  body: string,
  secrets: readonly string[],
  nowMs: number,
): Record<string, string> {
  const timestamp = new Date(nowMs)
  return {
    'webhook-id': eventId,
    'webhook-timestamp': String(Math.floor(nowMs / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(eventId, timestamp, body)).join(' '),
  }
}
