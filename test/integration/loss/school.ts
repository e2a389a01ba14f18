// A service, a worker and a portal's webhook endpoint over one Redis, with uploads at every stage of their way.

import { readFile } from 'node:fs/promises'
import { LANES } from '../../../src/jobs/contract.ts'
import { openEnvironment } from '../../support/environment.ts'
import { waitFor } from '../../support/http.ts'
import { createCorpus } from '../../support/media/corpus.ts'
import { pdfBytes } from '../../support/media/pdfs.ts'
import { lesson } from '../../support/media/videos.ts'
import type { StoreKind } from '../../support/over-both-stores.ts'
import { testProfile } from '../../support/profiles.ts'
import { startReceiver } from '../../support/receiver.ts'
import { idOf, type Sending, tusUser } from '../../support/tus.ts'

export type Json = Record<string, unknown>
export type School = Awaited<ReturnType<typeof openSchool>>

/** What becomes of it: a PDF with few pages is accepted, one with many is rejected; the lesson has to be encoded. */
export type Kind = 'good' | 'long' | 'lesson'

/** Longer than this process needs to note a delivery. */
export const WEBHOOK_DELAY_MS = 1500
const PADDING = 60_000

export async function openSchool(store: StoreKind) {
  const profile = testProfile()
  const video = profile.mediaDefaults?.video?.renditions?.[0]
  // Smaller than the lesson, so that it has to be encoded.
  if (video !== undefined) video.maxShortSidePixels = 144
  const corpus = await createCorpus()
  const film = await readFile(await lesson(corpus, { seconds: 2, framesPerSecond: 10 }))
  const receiver = await startReceiver()
  const stack = await openEnvironment({
    store,
    webhookDelayMs: WEBHOOK_DELAY_MS,
    profiles: [profile],
    lanes: LANES.join(),
    env: {
      WEBHOOK_URL: receiver.url,
      WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString('base64')}`,
      WEBHOOK_ALLOW_PRIVATE: 'true',
    },
  })
  await stack.deps.rebuilder.heal()
  await stack.start()
  let serial = 0

  const bytesOf = (kind: Kind): { name: string; bytes: Buffer } => {
    if (kind === 'lesson') return { name: `การสอน ${++serial}.mp4`, bytes: film }
    // Each is another file, and long enough to be sent in two halves.
    const catalog = `/Note (${++serial}${'x'.repeat(PADDING)})`
    return { name: `แผน ${serial}.pdf`, bytes: pdfBytes({ pages: kind === 'good' ? 3 : 6, catalog }) }
  }

  /** A new upload, of which half is sent: kept open, closed after half, or whole. */
  const upload = async (submissionId: string, slot: string, kind: Kind, how: 'open' | 'half' | 'whole') => {
    const user = tusUser(stack.url, await stack.ticket(submissionId, slot))
    const { name, bytes } = bytesOf(kind)
    const url = await user.create({ length: bytes.length, name })
    const half = Math.floor(bytes.length / 2)
    let sending: Sending | undefined
    if (how === 'open') {
      sending = user.begin(url, 0, bytes.length)
      await sending.write(bytes.subarray(0, half))
      // Somebody asks where it stands: what is told must outlive Redis.
      await waitFor(async () => (await user.offset(url)) === half, { what: `half of ${url}` })
    } else {
      const { status, text } = await user.patch(url, 0, how === 'half' ? bytes.subarray(0, half) : bytes)
      if (status !== 204) throw new Error(`PATCH: ${status} ${text}`)
    }
    return { id: idOf(url), submissionId, url, user, bytes, half, kind, sending }
  }

  const get = async (path: string): Promise<Json> => {
    const { status, body } = await stack.call('GET', path)
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`)
    return body
  }

  return {
    stack,
    receiver,
    upload,
    get,
    deps: stack.deps,
    document: (id: string) => get(`/v1/uploads/${id}`),
    async submission(id: string): Promise<string> {
      const { status } = await stack.call('PUT', `/v1/submissions/${id}`, {
        body: {
          profile: 'test@1',
          deadline: '2099-01-01T00:00:00.000Z',
          uniqueKey: `person ${id}`,
        },
      })
      if (status !== 201) throw new Error(`PUT: ${status}`)
      return id
    },
    /** A portal's events after a cursor, page by page. */
    async events(after?: string): Promise<{ items: (Json & { id: string; data: Json })[]; cursor: string }> {
      const items: (Json & { id: string; data: Json })[] = []
      for (let cursor = after; ; ) {
        const page = await get(`/v1/events?limit=7${cursor === undefined ? '' : `&after=${cursor}`}`)
        const found = page['items'] as (Json & { id: string; data: Json })[]
        items.push(...found)
        cursor = String(page['nextCursor'])
        if (found.length === 0) return { items, cursor }
      }
    },
    async close() {
      await stack.close()
      await receiver.close()
      await corpus.remove()
    },
  }
}
