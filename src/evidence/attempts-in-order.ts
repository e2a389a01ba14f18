// Attempts in the order of their time, from objects that overlap, without holding all of them at once.

import type { Attempt } from './attempt-journal.ts'

type AttemptsObject = { firstMs: number; read: () => Promise<Attempt[]> }

/** Where an attempt stands in the order: its time, and its id between equals. */
export function positionOf({ at, id }: Attempt): string {
  return `${at} ${id}`
}

export function isPosition(text: string): boolean {
  const [at = '', id, ...more] = text.split(' ')
  return id !== undefined && more.length === 0 && !Number.isNaN(Date.parse(at))
}

/**
 * Each attempt once, oldest first, after a position.
 *
 * @param loose attempts that are in no object yet, or in one already
 * @param objects in the order of their first attempt
 * @param after '' for the beginning
 */
export async function* inOrder(
  loose: readonly Attempt[],
  objects: AsyncIterable<AttemptsObject>,
  after: string,
): AsyncGenerator<Attempt> {
  let waiting = sorted(loose)
  let last = after
  const next = function* (beforeMs: number): Generator<Attempt> {
    const ready = waiting.findIndex(({ at }) => Date.parse(at) >= beforeMs)
    const out = ready === -1 ? waiting : waiting.slice(0, ready)
    waiting = ready === -1 ? [] : waiting.slice(ready)
    for (const attempt of out) {
      const position = positionOf(attempt)
      if (position <= last) continue
      last = position
      yield attempt
    }
  }
  for await (const { firstMs, read } of objects) {
    // What is in this object and in all that follow is not older.
    yield* next(firstMs)
    waiting = sorted([...waiting, ...(await read())])
  }
  yield* next(Number.POSITIVE_INFINITY)
}

function sorted(attempts: readonly Attempt[]): Attempt[] {
  return attempts.toSorted((a, b) => (positionOf(a) < positionOf(b) ? -1 : 1))
}
