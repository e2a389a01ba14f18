// The support look-up of console and command line: reads submissions for the operations side.

import { hasUploadIdShape } from '../core/ids.ts'
import type { Deps } from '../deps.ts'
import type { Found } from '../ops/find/find-index.ts'
import type { SupportLookup } from '../ops/ops-deps.ts'
import { type SupportRecord, supportRecord } from './case-file.ts'
import { standingOf } from './standing.ts'

export type CaseSummary = Found & {
  state: string
  profile: string
  deadline: string | null
  updatedAt: string
  subjects: string[]
  uniqueKey: string | null
  filenames: string[]
  uploads: Record<string, number>
}

const MAX_NAMES = 8

export type SupportLookupOf = Omit<SupportLookup, 'summary' | 'file'> & {
  summary: (found: Found) => Promise<CaseSummary | undefined>
  file: (found: Found) => Promise<SupportRecord | undefined>
}

export function createLookup(deps: Deps): SupportLookupOf {
  return {
    file: ({ owner, submissionId }) => supportRecord(deps, owner, submissionId),
    summary: (found) => summaryOf(deps, found),
    standing: (found) => standingOf(deps, found),
    async ofUpload(uploadId) {
      // Workers also serve the console, and have no secret to verify ids.
      if (!hasUploadIdShape(uploadId)) return undefined
      const view = await deps.views.one(uploadId)
      const { owner, submissionId } = view?.record ?? view?.hot?.draft ?? {}
      return owner === undefined || submissionId == null ? undefined : { owner, submissionId }
    },
  }
}

async function summaryOf(deps: Deps, found: Found): Promise<CaseSummary | undefined> {
  const { owner, submissionId } = found
  const head = await deps.heads.latest(owner, submissionId)
  if (head === undefined || head.state === 'deleted') return undefined
  const views = await deps.views.ofSubmission(owner, submissionId)
  const facts = views.flatMap(({ record, hot }) => record ?? hot?.draft ?? [])
  const uploads: Record<string, number> = {}
  for (const { record, hot } of views) {
    const state = record?.state ?? hot?.status ?? 'receiving'
    uploads[state] = (uploads[state] ?? 0) + 1
  }
  const { state, profile, deadline, updatedAt, uniqueKey } = head
  return {
    owner,
    submissionId,
    state,
    profile,
    deadline,
    updatedAt,
    uploads,
    uniqueKey,
    subjects: distinct(facts.map(({ subject }) => subject)),
    filenames: distinct(facts.map(({ declared }) => declared.filename)),
  }
}

function distinct(names: readonly (string | null)[]): string[] {
  return [...new Set(names.filter((name) => name !== null))].slice(0, MAX_NAMES)
}
