// Erasure of what people, portals and files said: of a whole submission, or of one upload. The tombstone is committed first:
// after it nothing can be created, and whoever comes late finds it. Then everything else is removed. An erasure that was
// interrupted is continued by the reconciler: the store tells that it has begun, and that it is not finished.

import { hostname } from 'node:os'
import type { Actor } from '../audit/security-events.ts'
import { isoTime } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { faultPoint } from '../core/fault-points.ts'
import { notifyJobId } from '../events/webhooks.ts'
import { cancelUpload } from '../lifecycle/cancel.ts'
import { keepIfSealed } from '../lifecycle/sealed-uploads.ts'
import { objectKeys } from '../records/keys.ts'
import type { SubmissionHead } from '../records/submission-head.ts'
import { isYoungTombstone, lookAgainAtMs } from '../records/tombstones.ts'
import type { UploadRecord } from '../records/upload-record.ts'
import type { UploadView } from '../records/upload-views.ts'
import { eraseUpload } from './erase-upload.ts'
import type { ErasureDeps } from './erasure-deps.ts'

/** Whoever goes on with what another process left. */
const RECONCILER: Actor = { by: `service at ${hostname()}`, from: null }

export class Erasure {
  readonly #deps: ErasureDeps

  constructor(deps: ErasureDeps) {
    this.#deps = deps
  }

  /**
   * Deletes a submission in any state, and erases it. Idempotent. The security log has it as soon as it is certain.
   *
   * @param actor who asked for it; absent: it is gone on with
   * @returns whether nothing is left; otherwise a job about it is still at work, and the reconciler goes on
   * @throws SUBMISSION_UNKNOWN
   */
  async submission(owner: string, id: string, actor: Actor = RECONCILER): Promise<boolean> {
    const { heads, clock, logger, securityLog } = this.#deps
    const erasing = { event: 'submission.erase', actor, on: `submission ${owner}/${id}` } as const
    const { record: head, committed: begun } = await heads.commit(owner, id, async (current) => {
      if (current === undefined) throw new AppError('SUBMISSION_UNKNOWN')
      if (isTombstone(current)) return undefined
      const sequence = current.state === 'deleted' ? current.sequence : await heads.nextSequence(owner, id)
      const claims = current.uniqueKey === null ? [] : this.#deps.uniqueKeys.namesOf(owner, current.uniqueKey)
      return { ...tombstoneOf(current), sequence, claims, updatedAt: isoTime(clock.now()) }
    })
    faultPoint('erase.head-committed')
    if (begun) await securityLog.record(erasing)
    if (head === undefined || !(await this.#removeAll(head))) return false
    const { committed } = await heads.commit(owner, id, (current) => {
      if (current === undefined || current.erasedAt !== undefined) return undefined
      const { claims: _released, ...rest } = current
      return { ...rest, erasedAt: isoTime(clock.now()) }
    })
    await heads.forgetEarlier(owner, id)
    if (committed) logger.info({ owner, submissionId: id }, 'submission erased')
    // The process that began it may have died before it said so.
    if (committed && !begun) await securityLog.record({ ...erasing, what: 'The deletion of a submission was finished' })
    return true
  }

  /** Everything but the newest version of the head, and the versions that are needed to find the rest. */
  async #removeAll(head: SubmissionHead): Promise<boolean> {
    const { heads, index, store, attempts, uniqueKeys, search } = this.#deps
    const { owner, id } = head
    let isGone = true
    const ids = await heads.uploadIds(owner, id)
    const views = new Map((await this.#deps.views.ofSubmission(owner, id)).map((view) => [view.id, view]))
    const eventIds: string[] = []
    for (const uploadId of ids) {
      const view = views.get(uploadId)
      const isErased = view?.record?.erasedAt !== undefined
      if (view !== undefined && !isErased) await cancelUpload(this.#deps, view, { force: true })
      if ((await eraseUpload(this.#deps, uploadId)) !== 'erased') isGone = false
      // Looked at again with its submission, not by itself: many deletions would fill the list of open uploads.
      await this.#deps.hot.setDue(uploadId, null)
      const { version = 0 } = (await this.#deps.uploads.latest(uploadId)) ?? {}
      for (let n = 1; n <= version; n++) eventIds.push(`evt_${uploadId}_${n}`)
    }
    faultPoint('erase.uploads-erased')
    await attempts.erase(owner, id)
    await search.remove({ owner, submissionId: id })
    const versions = await heads.versions(owner, id)
    for (const { version } of versions) eventIds.push(`evt_${owner}_${id}_${version}`)
    for (const { envelope } of await heads.news.history(owner, id, 0)) eventIds.push(envelope.body.id)
    await index.redis.del(index.keys.submissionEvents(owner, id))
    // Their addresses stand in the versions, so these stay until no delivery is at work any more.
    if (!(await this.#forgetWebhooks(versions, eventIds))) return false
    await uniqueKeys.releaseNames(owner, head.claims ?? [], id)
    await store.removeAll(objectKeys.news(owner, id))
    await heads.forgetEarlier(owner, id)
    faultPoint('erase.head-removed')
    return isGone
  }

  async #forgetWebhooks(versions: readonly SubmissionHead[], eventIds: readonly string[]): Promise<boolean> {
    const { queues, webhooks } = this.#deps
    const urls = new Set([...versions.map(({ callbackUrl }) => callbackUrl), webhooks.url].filter((url) => url != null))
    return await queues.forget(
      'notify',
      [...urls].flatMap((url) => eventIds.map((eventId) => notifyJobId(eventId, url))),
    )
  }

  /**
   * Cancels an upload in any state, and erases it; its submission stays. Idempotent. The security log has it as soon as it
   * is certain.
   *
   * @param view as read from UploadViews
   * @throws SUBMISSION_SEALED (409) if the submission is sealed or a seal lists it
   */
  async upload(view: UploadView, actor: Actor): Promise<void> {
    await cancelUpload(this.#deps, view, { erasing: true })
    await this.#deps.securityLog.record({ event: 'upload.erase', actor, on: `upload ${view.id}` })
    await this.#upload(view.id, view.record ?? view.hot?.draft)
  }

  /**
   * Goes on with the erasure of an upload whose record asks for it, or looks through what is left of it.
   *
   * @returns when to look again, Unix milliseconds, or null for never
   */
  async continueUpload(record: UploadRecord): Promise<number | null> {
    const nowMs = this.#deps.clock.now()
    if (record.erasing === true) {
      // A seal may have been first, and the process died before it saw that.
      if (await keepIfSealed(this.#deps, record)) return nowMs
      // The process that began it may have died before it said so.
      await this.#deps.securityLog.record({ event: 'upload.erase', actor: RECONCILER, on: `upload ${record.id}` })
      await this.#upload(record.id, record)
    } else {
      // A process that had the attempt in memory, or was about to store it, may have written it since.
      if (record.submissionId !== null)
        await this.#deps.attempts.eraseUpload(record.owner, record.submissionId, record.id)
      await eraseUpload(this.#deps, record.id)
      if (record.submissionId !== null) await this.#searchAgain(record.owner, record.submissionId)
    }
    const { uploads, heads } = this.#deps
    const head = record.submissionId === null ? undefined : await heads.latest(record.owner, record.submissionId)
    if (head?.state === 'deleted') return null
    const now = await uploads.latest(record.id)
    return now !== undefined && isYoungTombstone(now, nowMs) ? lookAgainAtMs(now, nowMs) : null
  }

  async #upload(id: string, known: Pick<UploadRecord, 'owner' | 'submissionId' | 'concat'> | undefined): Promise<void> {
    const { attempts, views } = this.#deps
    if (known?.concat?.kind === 'final')
      for (const partial of known.concat.partials) {
        const view = await views.one(partial)
        if (view !== undefined) await cancelUpload(this.#deps, view, { force: true })
        await this.#one(partial)
      }
    if (known?.submissionId != null) await attempts.eraseUpload(known.owner, known.submissionId, id)
    await this.#one(id)
    if (known?.submissionId != null) await this.#searchAgain(known.owner, known.submissionId)
  }

  async #one(id: string): Promise<void> {
    // Nothing is known to put it back once it has ended; but who asked must not be told that it is gone.
    if ((await eraseUpload(this.#deps, id)) === 'kept') throw new Error(`${id} has not ended, so it was not erased`)
  }

  /** The search knows words of all uploads of a submission, and not whose they are. */
  async #searchAgain(owner: string, id: string): Promise<void> {
    const { heads, attempts, search } = this.#deps
    const head = await heads.latest(owner, id)
    if (head === undefined || head.state === 'deleted') return
    await search.replace(head, [...(await heads.uploadsOf(owner, id)), ...(await attempts.list(owner, id))])
  }
}

function isTombstone(head: SubmissionHead): boolean {
  return head.state === 'deleted' && (head.erasedAt !== undefined || head.claims !== undefined)
}

/** What stays of a submission for good: that there was one of this name, and when. */
function tombstoneOf({ owner, id, profile, revision, createdAt }: SubmissionHead) {
  return {
    schema: 1 as const,
    owner,
    id,
    profile,
    revision,
    createdAt,
    opensAt: null,
    deadline: null,
    graceSeconds: 0,
    uniqueKey: null,
    callbackUrl: null,
    metadata: {},
    slotMetadata: {},
    state: 'deleted' as const,
    revisions: [],
    event: null,
  }
}
