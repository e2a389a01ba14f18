// Everything in Redis that matters, made again from the object store: after it was wiped, or came back older than it was.

/** What was found in the store and put back. */
export type Rebuilt = {
  submissions: number
  uploads: number
  /** Events of the last days, back in the log. */
  events: number
  /** Queued again: lanes that are due, and webhooks that were not delivered. */
  jobs: number
  ms: number
}

/** The part of what a process is made of that rebuilding needs; see createDeps. */
export type RebuildParts = { rebuilder: { run(): Promise<Rebuilt> } }

/**
 * Rebuilds Redis from the store. Safe at any time, beside running services and workers, and any number of times; what is
 * there already stays as it is. Throws REDIS_UNAVAILABLE, STORE_UNAVAILABLE.
 *
 * @param deps as createDeps makes them
 */
export async function rebuild({ rebuilder }: RebuildParts): Promise<Rebuilt> {
  return await rebuilder.run()
}
