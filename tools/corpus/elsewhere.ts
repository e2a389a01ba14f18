// Applies the rules of other slots to the same measurements: a shared limit is measured once and judged in each slot.

import type { UploadRecord } from '../../src/records/upload-record.ts'
import type { ProfileCatalogue } from '../../src/submissions/profiles/loader.ts'
import { findSlot } from '../../src/submissions/profiles/profile.ts'
import { judgeInspection } from '../../src/submissions/rules/inspect.ts'
import { judge } from '../../src/submissions/rules/judge.ts'
import type { Place, Row } from './model.ts'

/** @returns the slots in which the rule gives another result than in the row's own */
export function differsElsewhere(catalogue: ProfileCatalogue, row: Row, record: UploadRecord): string[] {
  const { also } = row
  if (also === undefined) return []
  return also.places.flatMap((place) => {
    const { wanted, found } = severities(catalogue, row, record, place)
    return found === (also.breaks ? wanted : 'none') ? [] : [`${place.profile} ${place.slot}: ${also.code} ${found}`]
  })
}

function severities(catalogue: ProfileCatalogue, row: Row, record: UploadRecord, place: Place) {
  const profile = catalogue.get(place.profile)
  const slot = profile && findSlot(profile, place.slot)
  if (slot === undefined || record.measured === null) throw new Error(`${place.profile} has no ${place.slot}`)
  const { measured, declared } = record
  const siblings = (row.before ?? []).map(() => ({ kind: measured.kind }))
  const { plannedMinutes } = row
  const problems = [
    ...judge({ slot, measured, declared, actualBytes: record.receivedBytes, siblings }).problems,
    ...judgeInspection({
      slot,
      measured,
      upload: record,
      sealed: false,
      ...(plannedMinutes === undefined ? {} : { plannedMinutes }),
    }).problems,
  ]
  const code = row.also?.code ?? 'UPLOAD_EMPTY'
  const found = problems.find((problem) => problem.code === code)?.severity ?? 'none'
  return { wanted: slot.severities[code], found }
}
