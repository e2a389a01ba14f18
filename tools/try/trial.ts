// State shared by the steps of a trial: the portal, the output page, and the received events.

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

/** An event of the stream; `atMs`: milliseconds from the start of the trial to its arrival. */
export type Heard = StreamEvent & { atMs: number }

/** Notifies waiting code that something arrived. */
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

  /** Checks at every notification, and every second, until the result is true or the time is over; returns the last result. */
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
