// Lets other work of the process run between the steps of a long walk.

import { setImmediate as nextTurn } from 'node:timers/promises'

const STEPS_A_TURN = 500

/** @returns to be awaited at each step */
export function turns(): () => Promise<void> | undefined {
  let steps = 0
  return () => (++steps % STEPS_A_TURN === 0 ? nextTurn() : undefined)
}
