// What the search index follows: each submission as it is now, with its standing.

import { hostname } from 'node:os'
import type { Deps } from '../deps.ts'
import { FindIndex } from '../ops/find/find-index.ts'
import { FindFollower } from '../ops/find/follower.ts'
import { readWithStanding } from './standing.ts'

/** @param name of this process: one at a time follows */
export function searchFollower(deps: Deps, name = `${hostname()}:${process.pid}`): FindFollower {
  const redis = deps.redis.producer
  return new FindFollower({
    redis,
    heads: deps.heads,
    find: new FindIndex(redis),
    read: (found) => readWithStanding(deps, found),
    logger: deps.logger,
    name,
  })
}
