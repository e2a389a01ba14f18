// Refusals before there is a verdict: at creation, by what the client declares, and by the first kibibytes.

import { AppError } from '../../core/errors.ts'
import type { MediaKind } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import { ticketLimits } from './limits.ts'
import { evidenceOfName, evidenceOfType, takes } from './type-evidence.ts'

export type Declared = { filename: string | null; type: string | null; bytes: number | null }

/**
 * Whether a creation is to be refused for what it declares.
 *
 * A type or name speaks against a file only where it is known to be a format that the slot does not take, and only where
 * the other does not speak for it: `video/quicktime` for an .mp4, an empty type for a .MOV are what phones send.
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
 * Whether the first bytes are something that the slot does not take.
 *
 * @param kind and container as `identify()` of core/identify.ts tells them (not `undecided`)
 * @returns UPLOAD_TYPE_NOT_ALLOWED {limit: extensions, actual: container}
 */
export function sniffedProblem(slot: SlotRules, kind: MediaKind, container: string): AppError | undefined {
  return takes(slot, kind, container) ? undefined : typeNotAllowed(slot, container)
}

/** The most that a file of one of these kinds may have; of any kind where none is claimed. */
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
