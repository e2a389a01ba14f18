// A teacher of another submission who goes on sending: how long each small PATCH takes.

import { setTimeout as pause } from 'node:timers/promises'
import { type TusUser, tusUser } from '../../test/support/tus.ts'
import type { Stage } from './stage.ts'

const CHUNK = Buffer.alloc(32_768, 'x')
const EVERY_MS = 100
/** A clip would have to be one; a PDF of any content is looked at only when it is whole. */
const LENGTH = 190_000_000

export type Sample = { atMs: number; tookMs: number }

/** Sends to each service until `stop`. */
export async function startPatching(stage: Stage): Promise<{ samples: Sample[]; stop(): Promise<void> }> {
  const samples: Sample[] = []
  let stopping = false
  const { byHand, services } = stage
  const running = await Promise.all(
    services.map(async ({ url }, i) => {
      const id = `sender-${i}`
      await byHand.put(id, { profile: 'intake@1' })
      const user = tusUser(url, await byHand.ticket(id, 'extras'))
      const created = await user.post({ length: LENGTH, name: 'long.pdf', type: 'application/pdf', body: pdfStart() })
      const location = String(created.headers.location)
      return send(user, new URL(new URL(location).pathname, url).href, pdfStart().length)
    }),
  )

  async function* offsets(user: TusUser, url: string, from: number): AsyncGenerator<number> {
    for (let offset = from; !stopping; ) {
      yield offset
      const known = await user.head(url).catch(() => undefined)
      offset = Number(known?.headers['upload-offset'] ?? offset)
    }
  }

  async function send(user: TusUser, url: string, from: number): Promise<() => Promise<void>> {
    const work = async () => {
      // From a known offset until something fails: the service was killed, or is starting.
      for await (let offset of offsets(user, url, from)) {
        while (!stopping) {
          const startedMs = performance.now()
          const reply = await user.patch(url, offset, CHUNK).catch(() => undefined)
          if (reply?.status !== 204) break
          samples.push({ atMs: Date.now(), tookMs: performance.now() - startedMs })
          offset += CHUNK.length
          await pause(EVERY_MS)
        }
        await pause(EVERY_MS)
      }
    }
    const done = work()
    return () => done
  }

  return {
    samples,
    async stop() {
      stopping = true
      await Promise.all(running.map((done) => done()))
    },
  }
}

function pdfStart(): Buffer {
  return Buffer.from('%PDF-1.7\n')
}

/** `p50 3 ms, p95 9 ms, p99 14 ms, max 40 ms of 300`. */
export function inWords(samples: readonly Sample[]): string {
  const sorted = samples.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms of ${sorted.length}`
}
