// For the audit of a load test: counts what lies in the store for its submissions. The route exists only with
// LOAD_TEST_SECRET and answers only tools with the same secret; it lists folders, which costs, and is no part of production.

import type { FastifyInstance } from 'fastify'
import { isSubmissionId } from '../core/ids.ts'
import { nonceOfTool, OBJECT_COUNT_PATH } from '../core/load-test-consent.ts'
import { objectKeys, uploadIdOfKey } from '../records/keys.ts'
import type { OpsDeps } from './ops-deps.ts'

/** Submissions in one request, and how many are listed at a time. */
const MAX_COUNTED = 500
const AT_A_TIME = 8
const EXAMPLES = 3

export type ObjectCount = {
  objects: number
  bytes: number
  /** Records of uploads; after a deletion these alone are left. */
  records: number
  /** Objects of no upload: there is no record beside them. */
  orphans: number
  /** Multipart uploads that are neither completed nor aborted. */
  pending: number
  /** Keys of a few orphans. */
  examples: string[]
}

/** Registers `GET /load-test/objects?portal=&prefix=&from=&count=` for the submissions `prefix-from`, `prefix-(from+1)`, … */
export function loadTestObjects(app: FastifyInstance, { config, store }: OpsDeps): void {
  const { secret } = config.loadTest
  if (secret === undefined) return
  app.get(OBJECT_COUNT_PATH, async (request, reply) => {
    if (nonceOfTool(secret, request.headers.authorization, request.url) === undefined) return reply.callNotFound()
    const query = request.query as Record<string, string | undefined>
    const { portal = '', prefix = '' } = query
    const [from, count] = [Number(query['from']), Number(query['count'])]
    const fits = Number.isInteger(from) && from >= 0 && Number.isInteger(count) && count >= 1 && count <= MAX_COUNTED
    if (!fits || portal === '' || !isSubmissionId(`${prefix}-0`))
      return await reply.code(400).send({ code: 'BAD_REQUEST', error: 'portal, prefix, from and count are needed' })
    return await countObjects(
      store,
      Array.from({ length: count }, (_, i) => objectKeys.submissionUploads(portal, `${prefix}-${from + i}`)),
    )
  })
}

/** Counts what lies under folders of the store. */
async function countObjects(store: OpsDeps['store'], folders: readonly string[]): Promise<ObjectCount> {
  const total: ObjectCount = { objects: 0, bytes: 0, records: 0, orphans: 0, pending: 0, examples: [] }
  const queue = folders.values()
  const work = async () => {
    for (const folder of queue) {
      const keys: string[] = []
      for await (const { key, bytes } of store.list(folder)) {
        keys.push(key)
        total.bytes += bytes
      }
      // A small upload is one object that has its first record as metadata.
      const recorded = new Set(keys.filter((key) => /\/(?:record|one)-[^/]*$/.test(key)).map(uploadIdOfKey))
      const orphans = keys.filter((key) => {
        const id = uploadIdOfKey(key)
        return id === undefined || !recorded.has(id)
      })
      total.objects += keys.length
      total.records += keys.filter((key) => /\/record-[^/]*$/.test(key)).length
      total.orphans += orphans.length
      total.examples.push(...orphans.slice(0, EXAMPLES - total.examples.length))
      for await (const { key } of store.listMultipartUploads(folder)) {
        total.pending += 1
        if (total.examples.length < EXAMPLES) total.examples.push(key)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return total
}
