// Refusals before the verdict: at creation, by declared values, and by the first bytes.

import { AppError } from '../../core/errors.ts'
import type { MediaKind } from '../../core/identify.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { ticketLimits } from './limits.ts'
import { evidenceOfName, evidenceOfType, takes } from './type-evidence.ts'

export type Declared = { filename: string | null; type: string | null; bytes: number | null }

/**
 * Whether a creation is refused because of its declared values.
 *
 * A type or name counts against a file only if it is a known format that the slot does not accept, and only if
 * the other is not in favour: phones send `video/quicktime` for .mp4, or an empty type for .MOV.
 * @param maxBytes the ticket's own limit, where it has one
 * @returns UPLOAD_EMPTY, UPLOAD_TYPE_NOT_ALLOWED {limit: extensions, actual} or UPLOAD_TOO_LARGE {limit, actual} (bytes)
 */
export function declaredProblem(slot: SlotRules, declared: Declared, maxBytes?: number): AppError | undefined {
  if (declared.bytes === 0) return new AppError('UPLOAD_EMPTY', { details: { slot: slot.id } })
  const claims = [evidenceOfType(slot, declared.type), evidenceOfName(slot, declared.filename)]
  const against = claims.find((claimed) => claimed.claim === 'speaks against')
  const supporting = claims.filter((claimed) => claimed.claim === 'speaks for')
  if (against && supporting.length === 0) return typeNotAllowed(slot, against.value)
  const limit = Math.min(
    maxBytesFor(
      slot,
      supporting.map((claimed) => claimed.kind),
    ),
    maxBytes ?? Number.POSITIVE_INFINITY,
  )
  return declared.bytes === null ? undefined : sizeProblem(slot, declared.bytes, limit)
}

/**
 * Whether the slot does not accept the type of the first bytes.
 *
 * @param kind and container as `identify()` of core/identify.ts tells them (not `undecided`)
 * @returns UPLOAD_TYPE_NOT_ALLOWED {limit: extensions, actual: container}
 */
export function sniffedProblem(slot: SlotRules, kind: MediaKind, container: string): AppError | undefined {
  return takes(slot, kind, container) ? undefined : typeNotAllowed(slot, container)
}

/** The maximum size for these kinds; for any kind if none is declared. */
function maxBytesFor(slot: SlotRules, kinds: readonly (MediaKind | null)[]): number {
  const claimed = slot.media.filter((media) => kinds.includes(media.kind))
  return Math.max(...(claimed.length > 0 ? claimed : slot.media).map((media) => media.maxBytes))
}

function sizeProblem(slot: SlotRules, actual: number, limit: number): AppError | undefined {
  if (actual <= limit) return undefined
  return new AppError('UPLOAD_TOO_LARGE', { details: { slot: slot.id, limit, actual } })
}

function typeNotAllowed(slot: SlotRules, actual: string): AppError {
  const limit = ticketLimits(slot).extensions
  return new AppError('UPLOAD_TYPE_NOT_ALLOWED', { details: { slot: slot.id, limit, actual } })
}
