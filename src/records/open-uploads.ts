// Counts unfinished uploads and their remaining bytes, inside Redis: all of them, or those of a person.

import { askAll, commandLoader, run } from '../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../core/redis.ts'
import { redisKeysOf } from './keys.ts'
import { personOf } from './person.ts'
import { SESSION_FIELDS } from './stored-fields.ts'
import type { UploadDraft } from './upload-session.ts'

/** Entries per step; Redis is blocked meanwhile. */
const STEP = 1000
const MAX_LOOKED_AT = 100_000
/** A person who creates nothing for so long has nothing under way. */
const FORGET_PERSON_MS = 30 * 86_400_000

const countOpen = commandLoader(new URL('./commands/', import.meta.url), { session: SESSION_FIELDS })(
  'count-open-uploads',
)

type CountAnswer = [open: number, left: string, paused: number, unsettled: number, promised: string]

export type OpenUploads = {
  /** Started, last byte not received. */
  open: number
  /** Of them: nobody is sending now. */
  paused: number
  /** Declared bytes that are not yet received. */
  bytesLeft: number
  /** Of them: of uploads that were created, or got a byte, lately. */
  bytesPromised: number
  /** All bytes received, processing not finished. */
  unsettled: number
}

/**
 * @param movedSinceMs uploads that expire from then on have moved lately: each byte puts the expiry off
 * @throws REDIS_UNAVAILABLE
 */
export async function countOpenUploads(redis: RedisConnection, movedSinceMs = 0): Promise<OpenUploads> {
  const keys = redisKeysOf(redis)
  const total: OpenUploads = { open: 0, paused: 0, bytesLeft: 0, bytesPromised: 0, unsettled: 0 }
  const lists = keys.everyDue('due')
  await Promise.all(
    lists.map(async (list) => {
      for (let from = 0; from < MAX_LOOKED_AT / lists.length; from += STEP) {
        const ids = await viaRedis(redis.zrange(list, from, from + STEP - 1))
        if (ids.length === 0) break
        const [open, left, paused, unsettled, promised] = (await run(redis, countOpen, ids.map(keys.hot), [
          movedSinceMs,
        ])) as CountAnswer
        total.open += open
        total.bytesLeft += Number(left)
        total.bytesPromised += Number(promised)
        total.paused += paused
        total.unsettled += unsettled
        if (ids.length < STEP) break
      }
    }),
  )
  return total
}

/**
 * Notes that a person has begun an upload. After the upload is there: who counts a person's uploads removes those that are
 * not. Throws REDIS_UNAVAILABLE.
 */
export async function noteOpen(redis: RedisConnection, draft: UploadDraft): Promise<void> {
  const key = redisKeysOf(redis).openOf(draft.owner, personOf(draft))
  const commands = redis.multi().zadd(key, Date.parse(draft.createdAt), draft.id).pexpire(key, FORGET_PERSON_MS)
  for (const [error] of (await viaRedis(commands.exec())) ?? []) if (error) throw error
}

/**
 * Unfinished uploads of a person, and the bytes that they have declared and not sent. Throws REDIS_UNAVAILABLE.
 *
 * @param person see personName
 */
export async function countOpenOfPerson(
  redis: RedisConnection,
  owner: string,
  person: string,
): Promise<Pick<OpenUploads, 'open' | 'bytesLeft'>> {
  const keys = redisKeysOf(redis)
  const key = keys.openOf(owner, person)
  const ids = await viaRedis(redis.zrange(key, 0, -1))
  const { status, size, offset } = SESSION_FIELDS
  const sessions = await askAll(
    redis,
    ids.map((id) => (to) => to.hmget(keys.hot(id), status, size, offset)),
  )
  const found = { open: 0, bytesLeft: 0 }
  const ended: string[] = []
  for (const [i, id] of ids.entries()) {
    const [state, declared, received] = sessions[i] as (string | null)[]
    // Its session is there before it is in this list.
    if (state !== 'receiving') ended.push(id)
    else {
      found.open++
      if (declared) found.bytesLeft += Number(declared) - Number(received ?? 0)
    }
  }
  if (ended.length > 0) await viaRedis(redis.zrem(key, ...ended))
  return found
}
