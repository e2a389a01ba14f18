// The audit of a stage, whose store cannot be read here: receipts over the API, and objects counted by the operations
// listener, where its address is given. (SHA-256 of the documents are compared with those of the other runs: verifyAll.)

import { setTimeout as delay } from 'node:timers/promises'
import { loadTestAuthorization, newNonce, OBJECT_COUNT_PATH } from '../../../src/core/load-test-consent.ts'
import type { ObjectCount } from '../../../src/ops/load-test-objects.ts'
import { reasonOf } from '../../lib/consent.ts'
import type { Portal } from '../../lib/portal.ts'
import type { Finding } from '../../surge/verify.ts'
import type { UploadOutcome } from '../generator/messages.ts'
import type { StoreAudit } from './store.ts'
import { uploadId } from './uploads.ts'

const AT_A_TIME = 8
const EXAMPLES = 3
/** Submissions counted by one request; listing them in a bucket takes seconds. */
const COUNTED_AT_ONCE = 250
const COUNT_MS = 120_000
/** A job that is at work on a file ends before the file is removed. */
const REMOVAL_MS = 120_000
const REMOVAL_LOOK_MS = 5000

export type StageAuditDeps = {
  portal: Portal
  ops: URL | undefined
  secret: string
  /** Ids of the submissions are `prefix-0`, `prefix-1`, … */
  prefix: string
  clients: number
}

/** Also resolves with the name of the portal, which receipts have. */
export async function auditStage(
  deps: StageAuditDeps,
  outcomes: readonly UploadOutcome[],
  findings: readonly Finding[],
): Promise<StoreAudit & { portalName: string | undefined }> {
  const served = outcomes.filter((_, i) => findings[i]?.end === 'served')
  const { wrong, portalName } = await checkReceipts(deps.portal, served)
  const errors =
    wrong.length === 0 ? [] : [`${wrong.length} receipts are wrong: ${wrong.slice(0, EXAMPLES).join('; ')}`]
  const count = portalName === undefined ? undefined : await countObjects(deps, portalName)
  if (typeof count === 'string') errors.push(count)
  else if (count !== undefined && count.orphans > 0)
    errors.push(`${count.orphans} orphan objects: ${count.examples.join(', ')}`)
  return { objects: typeof count === 'object' ? count.objects : null, hashed: served.length, errors, portalName }
}

/** After the removal: errors if more is left than tombstones, also after the service had time to finish. */
export async function auditRemoval(deps: StageAuditDeps, portalName: string): Promise<string[]> {
  const untilMs = Date.now() + REMOVAL_MS
  for (;;) {
    const errors = await leftovers(deps, portalName)
    if (errors.length === 0 || Date.now() > untilMs) return errors
    await delay(REMOVAL_LOOK_MS)
  }
}

async function leftovers(deps: StageAuditDeps, portalName: string): Promise<string[]> {
  const count = await countObjects(deps, portalName)
  if (count === undefined) return []
  if (typeof count === 'string') return [count]
  const left = count.objects - count.records
  const pending = count.pending > 0 ? [`${count.pending} multipart uploads left: ${count.examples.join(', ')}`] : []
  return left > 0 ? [`${left} objects left in the store after the removal`, ...pending] : pending
}

/** Every receipt must be genuine, and say what was sent. */
async function checkReceipts(portal: Portal, served: readonly UploadOutcome[]) {
  const wrong: string[] = []
  let portalName: string | undefined
  const queue = served.values()
  const work = async () => {
    for (const outcome of queue) {
      const found = await checkReceipt(portal, outcome).catch((error: unknown) => ({
        why: reasonOf(error),
        owner: undefined,
      }))
      portalName ??= found.owner
      if (found.why !== undefined) wrong.push(`#${outcome.plan.number} ${found.why}`)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return { wrong, portalName }
}

async function checkReceipt(portal: Portal, { plan, sha256, submissionId, ...outcome }: UploadOutcome) {
  const { kind, receipt, claims } = await portal.receipt(uploadId(outcome))
  const owner = String(claims['portal'])
  const named = (why: string | undefined) => ({ why, owner })
  if (!(await portal.isGenuine(receipt))) return named('is not genuine')
  if (claims['submission'] !== submissionId) return named(`is of submission ${claims['submission']}`)
  if (claims['bytes'] !== plan.fileBytes) return named(`says ${claims['bytes']} bytes, not ${plan.fileBytes}`)
  // The SHA-256 comes with the final receipt, when the whole file was read.
  return named(kind === 'final' && claims['sha256'] !== sha256 ? 'has another SHA-256' : undefined)
}

/** undefined: no operations listener is given. A string: why it could not count. */
async function countObjects(deps: StageAuditDeps, portalName: string): Promise<ObjectCount | string | undefined> {
  const { ops, secret, prefix, clients } = deps
  if (ops === undefined) return undefined
  const total: ObjectCount = { objects: 0, bytes: 0, records: 0, orphans: 0, pending: 0, examples: [] }
  for (let from = 0; from < clients; from += COUNTED_AT_ONCE) {
    const count = String(Math.min(COUNTED_AT_ONCE, clients - from))
    const query = new URLSearchParams({ portal: portalName, prefix, from: String(from), count })
    const target = `${OBJECT_COUNT_PATH}?${query}`
    try {
      const response = await fetch(new URL(target, ops), {
        headers: { authorization: loadTestAuthorization(secret, newNonce(), target) },
        redirect: 'error',
        signal: AbortSignal.timeout(COUNT_MS),
      })
      if (response.status !== 200) return `objects could not be counted: ${ops.origin} answered ${response.status}`
      const one = (await response.json()) as ObjectCount
      for (const name of ['objects', 'bytes', 'records', 'orphans', 'pending'] as const) total[name] += one[name]
      total.examples.push(...one.examples.slice(0, EXAMPLES - total.examples.length))
    } catch (error) {
      return `objects could not be counted: ${reasonOf(error)}`
    }
  }
  return total
}
