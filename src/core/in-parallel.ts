// Processes many items with limited concurrency.

/** Runs `work` on every item, `width` at a time; after an error no further item is started, and it is thrown at the end. */
export async function inParallel<T>(
  width: number,
  items: Iterable<T> | AsyncIterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = iterate(items)
  let failed: { error: unknown } | undefined
  // Serialized: a generator must not be called concurrently.
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
