// A file on its way, with a tus-js-client that is played: what the page makes of each answer.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { PATIENCE_MS } from '../../support/http.ts'
import { elementPart } from '../portal/assets.ts'

type Options = { uploadUrl?: string; endpoint?: string; onError: (error: unknown) => void }
type Job = { phase: string; url: string | null; refusal: unknown; start: () => Promise<void> }
type Parts = {
  addressOf: (path: string) => string
  ticket: () => Promise<string>
  changed: () => void
  stored: () => void
  wasCancelled: () => Promise<boolean>
  cancelled: () => void
  unreached: (job: Job, code: string) => void
}
/** An answered request, which forgets its answer when it is aborted, as XMLHttpRequest does. */
const Upload = vi.hoisted(
  () =>
    class PlayedUpload {
      static made: PlayedUpload[] = []
      readonly options: Options
      #status = 0
      #body = ''
      constructor(_file: Blob, options: Options) {
        this.options = options
        PlayedUpload.made.push(this)
      }
      start(): void {
        // Only what the test says happens.
      }
      answer(status: number, code?: string): void {
        this.#status = status
        this.#body = code === undefined ? '' : JSON.stringify({ code, message: { th: 'ก', en: 'a' } })
        const originalResponse = {
          getStatus: () => this.#status,
          getBody: () => this.#body,
          getHeader: () => null,
        }
        this.options.onError({ originalResponse })
      }
      abort(): void {
        this.#status = 0
        this.#body = ''
      }
    },
)
vi.mock('tus-js-client', () => ({ defaultOptions: {}, Upload }))
const { Job } = await elementPart<{ Job: new (file: Blob, purpose: object, parts: Parts) => Job }>('sending/job.js')

const WORDS = { th: 'ก', en: 'a' }
const GONE = 'https://songngan.example/files/gone'

const parts = {
  addressOf: (path: string) => `https://songngan.example/${path}`,
  ticket: vi.fn(async () => 'a-ticket'),
  changed: vi.fn(),
  stored: vi.fn(),
  wasCancelled: vi.fn(async () => false),
  cancelled: vi.fn(),
  unreached: vi.fn(),
}
const newest = () => {
  const upload = Upload.made.at(-1)
  if (upload === undefined) throw new Error('nothing was sent')
  return upload
}
const sending = async (url: string | null = null): Promise<Job> => {
  const job = new Job(new Blob(['film']), { slot: 's', replaces: null, expected: null }, parts)
  job.url = url
  await job.start()
  return job
}
/** By itself Vitest gives up after a second. */
const seen = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: PATIENCE_MS })

beforeEach(() => {
  vi.clearAllMocks()
  Upload.made = []
  vi.useFakeTimers()
  vi.stubGlobal('navigator', { onLine: true })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a file on its way', () => {
  // The abort of a request that was answered takes its answer away: all refusals were tried again for ever.
  it('reads the response before it discards the request', async () => {
    const job = await sending()
    newest().answer(413, 'UPLOAD_TOO_LARGE')
    await seen(() => expect(job.phase).toBe('refused'))
    expect(job.refusal).toEqual(WORDS)
  })

  it('does not touch an upload that another page continues', async () => {
    const job = await sending(GONE)
    newest().answer(400, 'UPLOAD_TAKEN_OVER')
    await seen(() => expect(job.phase).toBe('taken'))
  })

  it('waits and retries without a response', async () => {
    const job = await sending(GONE)
    newest().answer(0)
    await seen(() => expect(job.phase).toBe('waiting'))
    await vi.advanceTimersByTimeAsync(2000)
    expect(Upload.made).toHaveLength(2)
    expect(newest().options.uploadUrl).toBe(GONE)
  })

  it('gets another ticket when the old one has expired', async () => {
    await sending()
    newest().answer(401, 'TICKET_EXPIRED')
    await seen(() => expect(Upload.made).toHaveLength(2))
    expect(parts.ticket).toHaveBeenCalledTimes(2)
  })

  // tus-js-client makes a new upload in place of one that it does not find, if it is told where.
  it('is created again if it no longer exists, by the page and not by tus-js-client', async () => {
    await sending(GONE)
    expect(newest().options.endpoint).toBeUndefined()
    newest().answer(410)
    await seen(() => expect(Upload.made).toHaveLength(2))
    expect(newest().options).toMatchObject({ endpoint: 'https://songngan.example/files' })
    expect(newest().options.uploadUrl).toBeUndefined()
  })

  it('is not created again if it was cancelled', async () => {
    parts.wasCancelled.mockResolvedValueOnce(true)
    await sending(GONE)
    newest().answer(410)
    await seen(() => expect(parts.cancelled).toHaveBeenCalledOnce())
    expect(Upload.made).toHaveLength(1)
  })
})
