// Loaded before a process's entry module: a test shifts its clock by writing milliseconds into the file `clock` of the
// fault-injection folder. Timers are not affected, as when a real clock is set.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_MS = 20
const RealDate = Date
const file = join(process.env['FAULT_POINTS'] ?? '', 'clock')
let shiftMs = 0

setInterval(() => {
  try {
    shiftMs = Number(readFileSync(file, 'utf8'))
  } catch (error) {
    // The clock is not shifted yet.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}, LOOK_MS).unref()

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() + shiftMs)
    // Date has many overloads; the arguments are passed on unchanged.
    else super(...(given as [number]))
  }

  static override now(): number {
    return RealDate.now() + shiftMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor
