// A few fault points of the suite, one of each kind, with the whole audit. `npm run chaos` runs all of them.

import { describe, expect, test } from 'vitest'
import { FAULT_POINTS } from '../../src/core/fault-points.ts'
import type { StoreKind } from '../../tools/chaos/model.ts'
import { POINT_ROWS } from '../../tools/chaos/points.ts'
import { runGroup } from '../../tools/chaos/run.ts'
import { type Films, makeFilms } from '../../tools/chaos/stage/films.ts'
import { s3Available } from '../support/s3.ts'

const SELECTED: Record<StoreKind, string[]> = {
  local: ['patch.offset-committed', 'finish.hot-finishing', 'validate.before-record'],
  s3: ['patch.part-sent', 'complete.before-enqueue', 'transcode.rendition-written'],
}

let films: Films | undefined

async function expectClean(kind: StoreKind): Promise<void> {
  films ??= await makeFilms()
  const rows = POINT_ROWS.filter(({ point, only = kind }) => only === kind && SELECTED[kind].includes(point))
  const results = await runGroup(kind, { name: 'selection', rows, options: { films } }, () => undefined)
  expect(results.map(({ name, hits, errors }) => ({ name, hits, errors }))).toEqual(
    results.map(({ name }) => ({ name, hits: 1, errors: [] })),
  )
  expect(results).toHaveLength(SELECTED[kind].length + 1)
}

test('a local directory', () => expectClean('local'))

describe.skipIf(!s3Available())('an S3 server', () => {
  test('a bucket', () => expectClean('s3'))
})

test('every fault point is asked for by the suite', () => {
  const asked = new Set(POINT_ROWS.map(({ point }) => point))
  expect(FAULT_POINTS.filter((point) => !asked.has(point))).toEqual([])
})
