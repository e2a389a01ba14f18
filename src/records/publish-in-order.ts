// Events of the versions of one record are published once, in the order of the versions. A process may have died before Redis
// was told of a version, and Redis may have lost what it was told.

import type { Versioned } from './version-log.ts'

/** One committed version, as Redis is told of it. */
export type Applied = {
  cacheKey: string
  version: number
  json: string
  owner: string
  submissionId: string | null
  /** Upload: its entry in the submission's index. Absent: a submission head. */
  upload?: { id: string; createdAtMs: number; dueAtMs: number | null }
  /** Orders lists; absent: now. */
  committedAtMs?: number
  /** Fingerprint key of an unfinished upload. */
  fingerprintKey?: string
  /** The event body without its id, or null. */
  event: string | null
  /** True: publish its event, once. False: only make the version readable. */
  announce: boolean
  /** With announce false: the event was published, though Redis has lost that. */
  announcedBefore?: boolean
  /** With announce false: its event and all earlier ones were just restored. */
  announcedNow?: boolean
  /** With announce: all earlier versions count as published. */
  earlierAnnounced?: boolean
  /** How long the cached record is kept, milliseconds; absent: eight days. */
  cacheMs?: number
  /** Erased: removed from the list. */
  gone?: boolean
}

/** What Redis says of the event of a version: see commands/publish-version.lua. */
export type Published = 'ok' | 'old' | 'gap' | 'unknown'

const PUBLISH_GRACE_MS = 120_000
/** Redis forgets what is quiet. An event that was not published is found within minutes, not after a day. */
const FORGOTTEN_AFTER_MS = 86_400_000

/** Where Redis does not know whether a version was published: so old, it was. */
export function isPublishedByAge({ committedAt }: Pick<Versioned, 'committedAt'>, nowMs: number): boolean {
  return Date.parse(committedAt) < nowMs - PUBLISH_GRACE_MS
}

type Steps<T> = {
  /** @param earlierPublished all earlier versions count as published */
  publish(version: T, earlierPublished: boolean): Promise<Published>
  /** Makes the version visible; its event was published. */
  show(version: T): Promise<unknown>
  /** The version before; undefined where it is no longer stored. */
  before(version: T): Promise<T | undefined>
  /** Whether Redis has all that it was ever told. While it has not, the rebuild restores the events of earlier versions. */
  isComplete(): Promise<boolean>
  nowMs: number
}

/** Publishes a version, and before it those that were not published. */
export async function publishInOrder<T extends Versioned>(version: T, steps: Steps<T>): Promise<void> {
  const outcome = await steps.publish(version, false)
  if (outcome === 'ok' || outcome === 'old') return
  if (outcome === 'unknown' && Date.parse(version.committedAt) < steps.nowMs - FORGOTTEN_AFTER_MS) {
    await steps.show(version)
    return
  }
  const isKnown = outcome === 'gap' || (await steps.isComplete())
  const earlier = isKnown ? await steps.before(version) : undefined
  if (earlier === undefined || (outcome === 'unknown' && isPublishedByAge(earlier, steps.nowMs))) {
    await steps.publish(version, true)
    return
  }
  await publishInOrder(earlier, steps)
  await steps.publish(version, false)
}
