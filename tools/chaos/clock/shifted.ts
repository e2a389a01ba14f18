// Loaded before a process's entry: its clock jumps when a test says so, by writing milliseconds into `clock` beside the
// orders. Timers go on as they are, as they do when a real clock is set.

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
    // Nobody has set the clock yet.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}, LOOK_MS).unref()

class ShiftedDate extends RealDate {
  constructor(...given: unknown[]) {
    if (given.length === 0) super(RealDate.now() + shiftMs)
    // The real one has as many forms; whatever was given, it is the one to judge.
    else super(...(given as [number]))
  }

  static override now(): number {
    return RealDate.now() + shiftMs
  }
}

globalThis.Date = ShiftedDate as DateConstructor
