// The list of a portal's submissions, by last change, oldest first: reading all pages
// misses none, since changed submissions move to the end.

import { AppError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'
import type { SubmissionDocument } from './document/schemas.ts'
import { type DocumentDeps, loadSubmission } from './documents.ts'
import { knownCompleteness, noteCompleteness, type Place } from './known-completeness.ts'

export type ListDeps = DocumentDeps & { logger: Logger }

export type ListQuery = {
  state?: 'open' | 'sealed' | 'returned'
  complete?: boolean
  /** Milliseconds; changed at this time or later. */
  updatedSinceMs?: number
  cursor?: string
  limit: number
}

/** Maximum computed for one page: a filter without matches gives an empty page with a cursor. */
const MAX_LOOKED_AT = 400
/** Maximum passed over for one page, because it is known that the filter does not match. */
const MAX_PASSED = 20_000
const CHUNK = 200
/** Documents computed at a time. */
const BATCH = 16

/** One page. `nextCursor` null: there is no more at present. Throws CURSOR_INVALID, INDEX_REBUILDING. */
export async function listSubmissions(
  deps: ListDeps,
  owner: string,
  query: ListQuery,
): Promise<{ items: SubmissionDocument[]; nextCursor: string | null }> {
  const items: SubmissionDocument[] = []
  let at: Place = query.cursor === undefined ? { score: query.updatedSinceMs ?? 0, id: '' } : decode(query.cursor)
  let passed = 0
  for (let looked = 0; looked < MAX_LOOKED_AT && passed < MAX_PASSED; ) {
    const places = await placesAfter(deps, owner, at)
    if (places.length === 0) return { items, nextCursor: null }
    const candidates = await candidatesOf(deps, owner, places, query)
    passed += places.length - candidates.length
    for (let i = 0; i < candidates.length; i += BATCH) {
      const batch = candidates.slice(i, i + BATCH)
      const documents = await documentsOf(deps, owner, batch, query)
      for (const [j, place] of batch.entries()) {
        const document = documents[j]
        if (items.length === query.limit) return { items, nextCursor: encode(at) }
        at = place
        looked++
        if (document !== undefined && fits(document, query)) items.push(document)
      }
    }
    at = places.at(-1) ?? at
  }
  return { items, nextCursor: encode(at) }
}

/** Without those that are known not to match. */
async function candidatesOf(
  { index }: ListDeps,
  owner: string,
  places: Place[],
  { complete }: ListQuery,
): Promise<Place[]> {
  if (complete === undefined) return places
  const known = await knownCompleteness(index, owner, places)
  return places.filter((_, i) => known[i] === undefined || known[i] === complete)
}

async function documentsOf(
  deps: ListDeps,
  owner: string,
  places: Place[],
  { complete }: ListQuery,
): Promise<(SubmissionDocument | undefined)[]> {
  const documents = await Promise.all(places.map(({ id }) => documentOf(deps, owner, id)))
  if (complete === undefined) return documents
  const computed = places.flatMap((place, i) => {
    const document = documents[i]
    return document === undefined ? [] : [{ ...place, complete: document.complete }]
  })
  await noteCompleteness(deps.index, owner, computed, deps.clock.now())
  return documents
}

/** The next submissions after a position; equal scores are ordered by id. */
async function placesAfter({ index }: ListDeps, owner: string, { score, id }: Place): Promise<Place[]> {
  for (let offset = 0; ; offset += CHUNK) {
    const flat = await index.submissionsFrom(owner, score, offset, CHUNK)
    const places: Place[] = []
    for (let i = 0; i + 1 < flat.length; i += 2) places.push({ id: flat[i] ?? '', score: Number(flat[i + 1]) })
    const fresh = places.filter((place) => place.score > score || (place.score === score && place.id > id))
    // A full chunk without new ones means that more submissions changed in one millisecond.
    if (fresh.length > 0 || places.length < CHUNK) return fresh
  }
}

/** Undefined: deleted meanwhile, or unreadable. */
async function documentOf(deps: ListDeps, owner: string, id: string): Promise<SubmissionDocument | undefined> {
  try {
    return (await loadSubmission(deps, owner, id)).document
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'SUBMISSION_DELETED' || error.code === 'SUBMISSION_UNKNOWN') return undefined
    if (error.code !== 'PROFILE_UNKNOWN') throw error
    // One removed profile must not make the whole list fail.
    deps.logger.error(
      { submissionId: id, ...error.details },
      'submission omitted from a list: its profile no longer exists',
    )
    return undefined
  }
}

function fits(document: SubmissionDocument, { state, complete }: ListQuery): boolean {
  return (state === undefined || document.state === state) && (complete === undefined || document.complete === complete)
}

function encode({ score, id }: Place): string {
  return Buffer.from(JSON.stringify([score, id])).toString('base64url')
}

function decode(cursor: string): Place {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(value) && value.length === 2) {
      const [score, id]: unknown[] = value
      if (typeof score === 'number' && Number.isFinite(score) && typeof id === 'string') return { score, id }
    }
  } catch (error) {
    throw new AppError('CURSOR_INVALID', { cause: error })
  }
  throw new AppError('CURSOR_INVALID')
}
