// The table of causes and state changes of uploads. transitions.ts has one function per cause.

import type { NextUpload, UploadRecord, UploadState } from '../records/upload-record.ts'
import type { NextVersion } from '../records/version-log.ts'

/** The current record; the fields of the version log are not used. */
export type Current = NextVersion<UploadRecord>

const UNCHANGED = { accepted: ['accepted'], ready: ['ready'] } as const
const WORKED_ON = { checking: ['checking'], ...UNCHANGED } as const

/** Cause → state before → possible states after. */
const TABLE = {
  'last byte stored': { receiving: ['stored'] },
  'taken by a final upload': { stored: ['stored'] },
  'partial ended': { stored: ['cancelled', 'expired'] },
  expired: { receiving: ['expired'] },
  'bytes lost': { stored: ['expired'], checking: ['expired'], failed: ['expired'] },
  cancelled: {
    receiving: ['cancelled'],
    stored: ['cancelled'],
    checking: ['cancelled'],
    accepted: ['cancelled'],
    ready: ['cancelled'],
    rejected: ['cancelled'],
    failed: ['cancelled'],
  },
  erased: { cancelled: ['cancelled'], expired: ['expired'] },
  'lane started': { stored: ['checking'], failed: ['checking'], ...WORKED_ON },
  'lane at work': WORKED_ON,
  'lane failed': { checking: ['failed'], ...UNCHANGED },
  'lane queued again': { stored: ['stored'], failed: ['failed'], ...WORKED_ON },
  judged: { checking: ['accepted', 'rejected'] },
  inspected: { accepted: ['accepted', 'rejected'], ready: ['ready', 'rejected'] },
  'rendition changed': UNCHANGED,
  'renditions finished': { accepted: ['accepted', 'ready'], ready: ['accepted', 'ready'] },
  'judged again': {
    accepted: ['accepted', 'rejected'],
    ready: ['ready', 'rejected'],
    rejected: ['rejected', 'accepted'],
  },
  'kept by a seal': { rejected: ['accepted', 'ready'], cancelled: ['accepted', 'ready'] },
  'media removed': { rejected: ['rejected'], ...UNCHANGED },
} as const satisfies Record<string, Partial<Record<UploadState, readonly UploadState[]>>>

export type Cause = keyof typeof TABLE
type Rules = Partial<Record<UploadState, readonly UploadState[]>>
type To<C extends Cause> =
  (typeof TABLE)[C] extends Record<string, infer S> ? (S extends readonly (infer T)[] ? T : never) : never

/** Whether a cause can happen to an upload in this state. */
export function isPossible(cause: Cause, { state }: Pick<Current, 'state'>): boolean {
  return (TABLE[cause] as Rules)[state] !== undefined
}

export class ImpossibleTransition extends Error {
  override readonly name = 'ImpossibleTransition'
}

/** The next version after `cause`. Used only by transitions.ts. Without `event` nothing is published. */
export function next<C extends Cause>(
  cause: C,
  current: Current,
  change: Partial<Omit<Current, 'state'>> & { state?: To<C> },
): NextUpload {
  const to: UploadState = (change.state as UploadState | undefined) ?? current.state
  if ((TABLE[cause] as Rules)[current.state]?.includes(to) !== true)
    throw new ImpossibleTransition(`${current.id}: ${current.state} cannot become ${to} by "${cause}"`)
  return { ...current, event: null, ...change } as unknown as NextUpload
}
