// Standard Webhooks 1.0.0: `webhook-id` names the event and stays over retries, `webhook-timestamp` is that of the
// attempt, `webhook-signature` holds one signature per secret, so that a receiver may know the old or the new one.

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
