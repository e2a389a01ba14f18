// Verdicts are counted from the portal's event log: a repeat of the same event is none, a second event is.

import { afterEach, describe, expect, it } from 'vitest'
import { Portal } from '../../../../tools/lib/portal.ts'
import { EventReader } from '../../../../tools/surge/events.ts'
import { waitFor } from '../../../support/http.ts'

const log: object[] = []
/** Answers as `GET /v1/events` does, two events a page; the cursor is a place in the log. */
class FakePortal extends Portal {
  broken = 0
  constructor() {
    super({ base: new URL('http://127.0.0.1'), apiKey: '' })
  }
  override async events(after = '0') {
    if (this.broken > 0) {
      this.broken -= 1
      throw new Error('busy')
    }
    const items = log.slice(Number(after), Number(after) + 2) as never[]
    return { items, nextCursor: String(Number(after) + items.length) }
  }
}
const event = (id: string, type: string, uploadId?: string) => ({
  id,
  type,
  timestamp: '2026-01-01T00:00:01.000Z',
  data: { uploadId },
})

afterEach(() => {
  log.length = 0
})

describe('EventReader', () => {
  it('passes over the past, tells repeats from second verdicts, and survives a page that fails', async () => {
    log.push(event('a', 'upload.accepted', 'old'), event('b', 'upload.ready', 'old'), event('c', 'x', 'old'))
    const portal = new FakePortal()
    const reader = new EventReader(portal)
    await reader.start()
    expect(reader).toMatchObject({ ready: 0, verdicts: 0 })
    portal.broken = 1
    log.push(
      event('d', 'upload.stored', 'u'),
      event('e', 'upload.accepted', 'u'),
      event('e', 'upload.accepted', 'u'),
      event('f', 'submission.complete'),
      event('g', 'upload.ready', 'u'),
      event('h', 'upload.accepted', 'v'),
      event('i', 'upload.rejected', 'v'),
    )
    await waitFor(() => reader.ready === 1, { what: 'the event of u' })
    await reader.stop()
    expect(reader.of('u')).toEqual({
      storedMs: 1767225601000,
      verdictsMs: [1767225601000],
      readyMs: 1767225601000,
    })
    expect(reader.of('v').verdictsMs).toHaveLength(2)
    expect(reader.of('old').verdictsMs).toHaveLength(0)
    expect(reader.failures).toBe(1)
  })
})
