// Lists that are answered in pages.

/** All items, page by page as they are read. A page may be empty and not the last. */
export async function* everyItem<Item>(
  pageAt: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor: string | null }>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined
  do {
    const page = await pageAt(cursor)
    yield* page.items
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}
