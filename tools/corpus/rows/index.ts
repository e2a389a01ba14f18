// All rows, in the order in which they run.

import type { ProfileCatalogue } from '../../../src/submissions/profiles/loader.ts'
import type { Row } from '../model.ts'
import { BEGINNINGS } from './beginnings.ts'
import { CAMERAS } from './cameras.ts'
import { CLAIMS } from './claims.ts'
import { CLOCKS } from './clocks.ts'
import { COPIES } from './copies.ts'
import { DAMAGED } from './damaged.ts'
import { DISGUISES } from './disguises.ts'
import { EDITORS } from './editors.ts'
import { HOLES } from './holes.ts'
import { HOSTILE } from './hostile.ts'
import { limitRows } from './limits.ts'
import { PAUSES } from './pauses.ts'
import { PDF } from './pdf.ts'
import { PDF_ACTIVE } from './pdf-active.ts'
import { PDF_FLAWS } from './pdf-flaws.ts'
import { RECORDERS } from './recorders.ts'
import { SIGNALS } from './signals.ts'
import { STREAMS } from './streams.ts'
import { TOGETHER } from './together.ts'

export function allRows(catalogue: ProfileCatalogue): readonly Row[] {
  return [
    ...CAMERAS,
    ...RECORDERS,
    ...EDITORS,
    ...BEGINNINGS,
    ...COPIES,
    ...STREAMS,
    ...CLOCKS,
    ...PAUSES,
    ...DAMAGED,
    ...HOLES,
    ...CLAIMS,
    ...SIGNALS,
    ...PDF,
    ...PDF_FLAWS,
    ...PDF_ACTIVE,
    ...DISGUISES,
    ...TOGETHER,
    ...limitRows(catalogue),
    ...HOSTILE,
  ]
}
