// The life of an upload as a random walk: whatever happens in whatever order, what a record says of the file is true.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pendingLanes } from '../../../src/lifecycle/pending-lanes.ts'
import { ImpossibleTransition, isPossible } from '../../../src/lifecycle/transition-table.ts'
import * as life from '../../../src/lifecycle/transitions.ts'
import {
  type Check,
  isAccepted,
  isLaneDone,
  type LaneName,
  type NextUpload,
  type Rendition,
  type UploadRecord,
} from '../../../src/records/upload-record.ts'
import { isSettled } from '../../../src/records/upload-records.ts'
import { draftFor } from '../../support/drafts.ts'

const ATS = '2026-11-21T08:00:00.000Z'
const AT_MS = Date.parse(ATS)
const READ: readonly string[] = ['decodable', 'duplicate', 'malware']
const SHA256 = 'a'.repeat(64)
const MEASURED = { kind: 'video' as const, container: 'mp4' }

/** A record, and what really happened to the file. */
type World = {
  record: UploadRecord
  history: UploadRecord[]
  /** All bytes were read, and the result was committed. */
  wasRead: boolean
  sequence: number
}

type Step = { cause: string; lane: LaneName; flag: boolean; other: boolean; rare: number }

const CAUSES =
  'stored expired cancelled started released failed queued compare judged inspected rendition finished again sealed ' +
  'removed renewed'
/** What most lives consist of. */
const FREQUENT = 'stored started started judged judged inspected inspected rendition again'

const step: fc.Arbitrary<Step> = fc.record({
  cause: fc.constantFrom(...`${CAUSES} ${FREQUENT}`.split(' ')),
  lane: fc.constantFrom('validate' as const, 'inspect' as const, 'transcode' as const),
  flag: fc.boolean(),
  other: fc.boolean(),
  rare: fc.nat(29),
})

const checksOf = (read: 'pending' | 'passed' | 'none'): Check[] => [
  { name: 'type', state: 'passed' },
  ...(read === 'none' ? [] : READ.map((name): Check => ({ name, state: read }))),
]
const planned = (): Rendition[] => [
  { name: 'video', kind: 'mp4', required: true, state: 'waiting' },
  { name: 'poster', kind: 'poster', required: false, state: 'waiting' },
]
const holds = ({ lanes }: UploadRecord, lane: LaneName) => lanes[lane]?.claim !== undefined

/** What a caller commits, in the way in which the callers do; undefined: nothing is to be done. */
function decide(world: World, { cause, lane: named, flag, other, rare }: Step): NextUpload | undefined {
  const { record } = world
  const due = pendingLanes(record, Number.POSITIVE_INFINITY)
  const lane = due.includes(named) ? named : (due[0] ?? named)
  const sequence = world.sequence + 1
  switch (cause) {
    case 'stored': {
      const stored = { object: record.object, bytes: 1000, storedAt: ATS, late: flag, sequence }
      return record.state === 'receiving' ? life.storedRecord(record, stored) : undefined
    }
    case 'expired':
      if (rare !== 0) return undefined
      if (isPossible('bytes lost', record)) return life.bytesLost(record, sequence)
      return isPossible('expired', record) ? life.expired(record, sequence) : undefined
    case 'cancelled':
      // Rare, or no walk would get far.
      return rare === 0 && isPossible('cancelled', record) ? life.cancelled(record, sequence) : undefined
    case 'started': {
      if (!due.includes(lane)) return undefined
      const generation = record.lanes[lane]?.generation ?? 1
      return life.laneStarted(record, lane, { generation, claim: { token: 't', worker: 'w', until: ATS } })
    }
    case 'renewed':
      return holds(record, lane) && isPossible('lane at work', record)
        ? life.laneRenewed(record, lane, { token: 't', worker: 'w', until: ATS })
        : undefined
    case 'released':
      return holds(record, lane) && isPossible('lane at work', record) ? life.laneReleased(record, lane) : undefined
    case 'failed': {
      if (!holds(record, lane) || !isPossible('lane at work', record)) return undefined
      const failure = { message: 'm', code: 'C', final: rare < 5, sequence, atMs: AT_MS }
      return life.laneFailed(record, lane, failure)
    }
    case 'queued': {
      const isRetried = flag && record.lanes[lane]?.failedAt !== undefined
      if (!isPossible('lane queued again', record) || !(due.includes(lane) || isRetried)) return undefined
      return life.laneQueuedAgain(record, lane, { afresh: isRetried })
    }
    case 'compare':
      return isAccepted(record.state) && isLaneDone(record.lanes.inspect) ? life.comparisonDue(record) : undefined
    case 'judged': {
      if (record.state !== 'checking' || !holds(record, 'validate')) return undefined
      const verdict = {
        measured: MEASURED,
        problems: [],
        sha256: other ? SHA256 : undefined,
        sequence,
        atMs: AT_MS,
      }
      return flag
        ? life.accepted(record, { ...verdict, checks: checksOf('pending'), renditions: planned() })
        : life.rejected(record, { ...verdict, checks: checksOf('none') })
    }
    case 'inspected': {
      if (!isAccepted(record.state) || !holds(record, 'inspect')) return undefined
      // A repeated comparison is made without reading.
      if (record.lanes.inspect?.repeat !== true) world.wasRead = true
      const found = {
        measured: MEASURED,
        sha256: SHA256,
        problems: [],
        checks: checksOf('passed'),
        atMs: AT_MS,
      }
      return life.inspected(record, found, rare < 5 ? sequence : null)
    }
    case 'rendition': {
      if (!isAccepted(record.state) || !holds(record, 'transcode')) return undefined
      const unmade = record.renditions.filter(({ state }) => state === 'waiting' || state === 'running')
      const name = unmade[rare % 2]?.name ?? unmade[0]?.name
      if (name === undefined) return undefined
      if (flag) return life.renditionChanged(record, name, { state: 'ready' }, other ? sequence : null)
      return life.renditionChanged(record, name, rare > 5 ? { state: 'running' } : { state: 'failed', reason: 'R' })
    }
    case 'finished': {
      const isMade = record.renditions.every(({ state }) => state !== 'waiting' && state !== 'running')
      return isAccepted(record.state) && holds(record, 'transcode') && isMade
        ? life.renditionsFinished(record, { sequence, atMs: AT_MS })
        : undefined
    }
    case 'again': {
      if (!isPossible('judged again', record)) return undefined
      const isRead = isLaneDone(record.lanes.inspect) && record.sha256 !== null && other
      const read = isRead ? 'passed' : 'pending'
      if (isAccepted(record.state)) {
        if (!flag) return life.judgementChanged(record, { problems: [], checks: checksOf(read) }, { isRead })
        const checks = isLaneDone(record.lanes.inspect) ? record.checks : checksOf('none')
        return life.acceptanceWithdrawn(record, { problems: [], checks }, sequence)
      }
      if (record.mediaRemovedAt !== undefined) return undefined
      const renditions = record.renditions.length > 0 ? record.renditions : planned()
      const verdict = { problems: [], checks: checksOf(read) }
      return life.acceptedAfterAll(record, verdict, { renditions, isRead, sequence })
    }
    case 'sealed': {
      const handedIn = world.history.findLast(({ state }) => isAccepted(state))
      if (handedIn === undefined || record.mediaRemovedAt !== undefined) return undefined
      return isPossible('kept by a seal', record) ? life.keptBySeal(record, handedIn, sequence) : undefined
    }
    case 'removed':
      return record.state === 'rejected' && rare < 3 ? life.mediaRemoved(record, AT_MS) : undefined
    default:
      throw new Error(cause)
  }
}

function newWorld(): World {
  const draft = draftFor('s')
  const first = life.receivingRecord(draft, { key: 'k' }, 1)
  const record: UploadRecord = { ...first, version: 1, nonce: 'n', committedAt: ATS }
  return { record, history: [record], wasRead: false, sequence: 1 }
}

/** As `expect`, which is too slow for a million of them. */
function ensure(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise)
}

function holdInvariants({ record, history, wasRead }: World): void {
  const { state, lanes, checks, sha256 } = record
  const before = history.at(-2)
  const due = pendingLanes(record, Number.POSITIVE_INFINITY)
  if (isAccepted(state)) {
    for (const lane of ['inspect', 'transcode'] as const) {
      const isOver = isLaneDone(lanes[lane]) || lanes[lane]?.final === true
      ensure(isOver || due.includes(lane), `${lane} is neither done nor due`)
    }
    ensure(!isLaneDone(lanes.inspect) || sha256 !== null, 'inspected without a hash')
  }
  if (state === 'ready') {
    ensure(isLaneDone(lanes.transcode), 'ready before the lane ended')
    const isMade = (made: Rendition['state']) => made === 'ready' || made === 'skipped'
    const isThere = record.renditions.every((each) => !each.required || isMade(each.state))
    ensure(isThere, 'ready without a required rendition')
  }
  if (!wasRead) {
    const isResult = ({ name, state: result }: Check) => READ.includes(name) && result !== 'pending'
    ensure(!checks.some(isResult), 'a result of a check that never ran')
    ensure(!isLaneDone(lanes.inspect), 'done, and nobody has read the file')
  }
  if (state === 'rejected' || state === 'cancelled' || state === 'expired')
    ensure(
      Object.values(lanes).every(({ claim }) => claim === undefined),
      'a lease on what does not count',
    )
  ensure(!isSettled(record) || due.length === 0, 'settled, yet due')
  ensure(record.event === null || before === undefined || record.sequence > before.sequence, 'no new sequence')
  ensure((record.storedAt === null) === wasNeverStored(history), 'not stored as it says')
}

const wasNeverStored = (history: UploadRecord[]) => history.every(({ storedAt }) => storedAt === null)

describe('a random sequence of transitions', () => {
  it('never gives a file a wrong state', () => {
    const visited = new Set<string>()
    const walk = fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const world = newWorld()
      for (const one of steps) {
        const next = decide(world, one)
        if (next === undefined) continue
        const version = world.record.version + 1
        visited.add(`${world.record.state} → ${next.state}`)
        world.record = { ...next, version, nonce: 'n', committedAt: ATS }
        world.history.push(world.record)
        world.sequence = Math.max(world.sequence, world.record.sequence)
        holdInvariants(world)
      }
    })
    fc.assert(walk, { numRuns: 10_000 })
    // The walks get about: every state was reached, and those that are left again. Rare ways may take some more.
    const ways = [
      'accepted → ready',
      'ready → rejected',
      'rejected → accepted',
      'cancelled → accepted',
      'failed → checking',
      'stored → expired',
    ]
    const unseen = () => ways.filter((way) => !visited.has(way))
    for (let more = 0; more < 40 && unseen().length > 0; more++) fc.assert(walk, { numRuns: 1000 })
    expect(unseen()).toEqual([])
  })
})

describe('a transition that is not in the table', () => {
  const fresh = () => newWorld().record
  const verdict = {
    measured: MEASURED,
    problems: [],
    checks: [],
    sha256: undefined,
    sequence: 2,
    atMs: AT_MS,
  }
  it.each([
    ['a verdict on a file that is still coming', () => life.accepted(fresh(), { ...verdict, renditions: [] })],
    [
      'the end of renditions of a file that is not accepted',
      () => life.renditionsFinished(fresh(), { sequence: 2, atMs: AT_MS }),
    ],
    ['a second cancellation', () => life.cancelled(life.cancelled(fresh(), 2), 3)],
    ['a lease on an expired upload', () => life.laneReleased(life.expired(fresh(), 2), 'validate')],
    ['a seal that lists what was never accepted', () => life.keptBySeal(life.cancelled(fresh(), 2), fresh(), 3)],
  ])('throws: %s', (_, change) => {
    expect(change).toThrow(ImpossibleTransition)
  })
})
