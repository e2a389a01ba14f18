// What the page keeps of its tries while nobody answers, and files when somebody does.

import { beforeEach, describe, expect, it, vi } from 'vitest'
import { elementPart } from '../portal/assets.ts'

type Api = { now: () => number; post: (path: string, body: object) => Promise<unknown> }
type Tries = { note: (slot: string, code: string) => void; file: () => Promise<void> }
const { Tries } = await elementPart<{
  Tries: new (api: Api, submission: string, filed: (slots: string[]) => void) => Tries
}>('sending/tries.js')
const { Refusal } = await elementPart<{ Refusal: new (status: number, problem: object) => Error }>('api.js')

const MINUTE = 60_000
const kept = new Map<string, string>()
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
  removeItem: (key: string) => void kept.delete(key),
}
let nowMs = 0
const api = { now: () => nowMs, post: vi.fn<Api['post']>() }
const filed = vi.fn()
const open = () => new Tries(api, 'S-1', filed)
const sent = () => api.post.mock.calls.map(([, body]) => (body as { attempts: object[] }).attempts)

beforeEach(() => {
  vi.stubGlobal('localStorage', storage)
  vi.resetAllMocks()
  api.post.mockResolvedValue({})
  kept.clear()
  nowMs = Date.parse('2026-09-30T16:41:07.000Z')
  return () => vi.unstubAllGlobals()
})

describe('tries', () => {
  it('are filed by the time of the service, one a minute and slot, and then forgotten', async () => {
    const tries = open()
    tries.note('film', 'NO_ANSWER')
    nowMs += 20_000
    tries.note('film', 'HTTP_502')
    tries.note('plan', 'HTTP_502')
    nowMs += MINUTE
    tries.note('film', 'HTTP_502')
    await tries.file()
    expect(sent()).toEqual([
      [
        { at: '2026-09-30T16:41:07.000Z', slot: 'film', code: 'NO_ANSWER' },
        { at: '2026-09-30T16:41:27.000Z', slot: 'plan', code: 'HTTP_502' },
        { at: '2026-09-30T16:42:27.000Z', slot: 'film', code: 'HTTP_502' },
      ],
    ])
    expect(filed).toHaveBeenCalledWith(['film', 'plan'])
    expect(kept.size).toBe(0)
  })

  it('survive the page, and a service that does not answer', async () => {
    api.post.mockRejectedValueOnce(new Refusal(0, {}))
    const tries = open()
    tries.note('film', 'NO_ANSWER')
    await tries.file()
    // Not again at once.
    await tries.file()
    expect(sent()).toHaveLength(1)
    await open().file()
    expect(sent()).toHaveLength(2)
    expect(kept.size).toBe(0)
  })

  it('wait for another session, and are dropped where they are never taken', async () => {
    const refused = async (status: number, code: string) => {
      api.post.mockRejectedValueOnce(new Refusal(status, { code }))
      const tries = open()
      tries.note('film', 'NO_ANSWER')
      await tries.file()
      const left = kept.size
      kept.clear()
      return left
    }
    expect(await refused(401, 'SESSION_INVALID')).toBe(1)
    expect(await refused(410, 'SUBMISSION_DELETED')).toBe(0)
  })

  it('are kept in the page where the browser keeps nothing', async () => {
    vi.stubGlobal('localStorage', undefined)
    const tries = open()
    tries.note('film', 'NO_ANSWER')
    await tries.file()
    expect(sent()).toHaveLength(1)
  })
})
