import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RevocationDeps, Revocations } from '../../../src/auth/revocations.ts'
import { AppError } from '../../../src/core/errors.ts'
import { createLogger } from '../../../src/core/logger.ts'
import { type Issued, isRevoked, type RevocationList, withRevocation } from '../../../src/records/revocations.ts'

const AT = '2026-11-29T10:00:00.000Z'
const issued = (change: Partial<Issued> = {}): Issued => ({
  owner: 'portal',
  submission: 'S-1',
  session: 'a'.repeat(24),
  revocations: 0,
  issuedAtMs: Date.parse(AT),
  isOf: (name) => name === 'ครู 1',
  ...change,
})

describe('a list of revocations', () => {
  it('voids what was issued before, and nothing that is issued afterwards, whatever the clocks say', () => {
    const all = withRevocation(undefined, 'all', AT)
    expect(isRevoked(issued({ issuedAtMs: Date.parse(AT) + 60_000 }), all)).toBe(true)
    expect(isRevoked(issued({ revocations: all.count, issuedAtMs: 0 }), all)).toBe(false)
    expect(isRevoked(issued(), undefined)).toBe(false)
  })

  it('goes by time for what carries no count, and by nothing where there is no time', () => {
    const all = withRevocation(undefined, 'all', AT)
    const told = (issuedAtMs: number | null) => isRevoked(issued({ revocations: null, issuedAtMs }), all)
    expect([told(Date.parse(AT)), told(Date.parse(AT) + 1), told(null)]).toEqual([true, false, true])
  })

  it('keeps a person and a session apart from others', () => {
    const person = withRevocation(undefined, { subject: 'ครู 1' }, AT)
    expect(isRevoked(issued(), person)).toBe(true)
    expect(isRevoked(issued({ isOf: () => false }), person)).toBe(false)
    const one = withRevocation(person, { session: 'b'.repeat(24) }, AT)
    expect(isRevoked(issued({ session: 'b'.repeat(24), isOf: () => false, revocations: one.count }), one)).toBe(true)
    expect(isRevoked(issued({ session: null, isOf: () => false }), one)).toBe(false)
    expect(isRevoked(issued(), one)).toBe(true)
  })

  it('is bounded, forgets what nothing can be left of, and is emptied by a revocation of all', () => {
    let list: RevocationList | undefined
    const session = (n: number) => ({ session: n.toString(16).padStart(24, '0') })
    for (let n = 0; n < 200; n++) list = withRevocation(list, session(n), AT)
    expect(() => withRevocation(list, session(200), AT)).toThrow(expect.objectContaining({ code: 'REVOCATIONS_LIMIT' }))
    // Once more of the same is no more.
    expect(withRevocation(list, session(5), AT).sessions).toHaveLength(200)
    const later = withRevocation(list, session(200), '2026-12-30T10:00:00.000Z')
    expect(later.sessions).toHaveLength(1)
    expect(withRevocation(list, 'all', AT).sessions).toEqual([])
  })
})

describe('a process', () => {
  let list: RevocationList | undefined
  let reads = 0
  /** Reads at a time, at most, and what they wait for. */
  let most = 0
  let held: Promise<void> | undefined
  let revocations: Revocations
  /** Redis is connected, and does not answer. */
  let hangs = false
  const subscriber = Object.assign(new EventEmitter(), { status: 'ready', subscribe: () => Promise.resolve(1) })
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
    list = undefined
    reads = 0
    most = 0
    held = undefined
    hangs = false
    let now = 0
    const latest = async () => {
      reads++
      most = Math.max(most, ++now)
      const read = list
      await held
      now--
      return { revocations: read }
    }
    revocations = new Revocations({
      heads: {
        latest: () => (hangs ? Promise.reject(new AppError('REDIS_UNAVAILABLE')) : latest()),
        fromStore: latest,
      } as unknown as RevocationDeps['heads'],
      redis: { producer: { status: 'ready' }, subscriber } as unknown as RevocationDeps['redis'],
      clock: { now: () => Date.parse(AT) },
      logger: createLogger({ name: 'test', level: 'silent' }),
    })
  })
  afterEach(() => {
    revocations.close()
    vi.useRealTimers()
  })

  it('remembers for five seconds: then also a revocation whose message was lost is noticed', async () => {
    for (let n = 0; n < 100; n++) expect(await revocations.isRevoked(issued())).toBe(false)
    expect(reads).toBe(1)
    list = withRevocation(undefined, 'all', AT)
    vi.advanceTimersByTime(4999)
    expect(await revocations.isRevoked(issued())).toBe(false)
    vi.advanceTimersByTime(1)
    expect(await revocations.isRevoked(issued())).toBe(true)
  })

  it('asks the store while Redis does not answer: links go on, and what is revoked stays so', async () => {
    hangs = true
    expect(await revocations.isRevoked(issued())).toBe(false)
    list = withRevocation(undefined, 'all', AT)
    vi.advanceTimersByTime(5000)
    expect(await revocations.isRevoked(issued())).toBe(true)
  })

  it('ends what is open within half a minute where the message was lost', async () => {
    await revocations.isRevoked(issued())
    let ended = 0
    revocations.watch(issued(), () => ended++)
    const unwatch = revocations.watch(issued(), () => ended++)
    unwatch()
    list = withRevocation(undefined, 'all', AT)
    vi.advanceTimersByTime(29_999)
    await settled()
    expect(ended).toBe(0)
    vi.advanceTimersByTime(1)
    await settled()
    expect(ended).toBe(1)
  })

  it('ends it at once with the message, also when that came between the first look and the watch', async () => {
    await revocations.isRevoked(issued())
    let ended = 0
    revocations.watch(issued(), () => ended++)
    list = withRevocation(undefined, 'all', AT)
    subscriber.emit('message', 'sn:revoked', 'portal/S-1')
    await settled()
    expect(ended).toBe(1)
    subscriber.emit('message', 'sn:revoked', 'portal/S-1')
    revocations.watch(issued(), () => ended++)
    await settled()
    expect(ended).toBe(2)
  })

  it('looks through what is open once at a time, and once more for what came meanwhile', async () => {
    let ended = 0
    for (const submission of ['S-1', 'S-2', 'S-3']) {
      await revocations.isRevoked(issued({ submission }))
      revocations.watch(issued({ submission }), () => ended++)
    }
    reads = 0
    let goOn: () => void = () => undefined
    held = new Promise((resolve) => {
      goOn = resolve
    })
    // An outage that is longer than the time between two rounds, in which the connection is made and lost.
    for (let round = 0; round < 5; round++) {
      vi.advanceTimersByTime(30_000)
      subscriber.emit('ready')
      await settled()
    }
    expect([reads, most]).toEqual([1, 1])
    // After the read that is waiting: only another round sees it for that submission.
    list = withRevocation(undefined, 'all', AT)
    goOn()
    await settled()
    expect([ended, most]).toEqual([3, 1])
  })
})

async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}
