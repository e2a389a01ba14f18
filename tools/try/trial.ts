// What the steps of a trial share: the portal, the page that is written on, and what has been heard so far.

import type { Portal } from '../lib/portal.ts'
import type { Page } from './page.ts'
import type { StreamEvent } from './stream.ts'
import type { WebhookReceiver } from './webhooks.ts'

export type Trial = {
  portal: Portal
  page: Page
  submissionId: string
  webhooks: WebhookReceiver | undefined
  heard: Heard[]
  bell: Bell
}

/** Of the event stream; `atMs` from the start of the trial to its arrival. */
export type Heard = StreamEvent & { atMs: number }

/** Rung whenever something arrived; whoever waits looks again. */
export class Bell {
  #waiting = new Set<() => void>()

  ring(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next ring, or after `ms`. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#waiting.add(wake)
    })
  }

  /** Asks at every ring, and every second, until the answer is yes or the time is over; returns the last answer. */
  async until(question: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
    const giveUpAtMs = performance.now() + timeoutMs
    for (;;) {
      if (await question()) return true
      const leftMs = giveUpAtMs - performance.now()
      if (leftMs <= 0) return false
      await this.wait(Math.min(1000, leftMs))
    }
  }
}

/** The words of an event in `heard`, and whose it is. */
export function eventOf({ type, data }: StreamEvent): { type: string; uploadId: string | undefined } {
  const body = data as { data?: { uploadId?: string } } | null
  return { type, uploadId: body?.data?.uploadId }
}
