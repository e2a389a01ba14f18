// Work on many things, a few at a time.

/** Runs `work` on every item, `width` at a time; the first failure ends it, and is thrown once the others have ended. */
export async function inParallel<T>(
  width: number,
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = iterate(items)
  let failed: { error: unknown } | undefined
  // One after the other: a generator must not be asked twice at a time.
  let turn: Promise<IteratorResult<T, unknown>> = Promise.resolve({ done: false, value: undefined as T })
  const next = () => {
    turn = turn.then(() => iterator.next())
    return turn
  }
  const worker = async () => {
    try {
      for (let item = await next(); item.done !== true && failed === undefined; item = await next())
        await work(item.value)
    } catch (error) {
      failed ??= { error }
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  if (failed !== undefined) throw failed.error
}

function iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
}
