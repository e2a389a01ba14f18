// How submissions stand, by deadline and profile: sealed, complete, returned, or not complete. The follower of the search
// index keeps it, so that "who has not handed in?" costs the same beside a million submissions: some look-ups for the
// counts, and a page of the list.

import { commandLoader, run } from '../../core/lua-commands.ts'
import { type RedisConnection, viaRedis } from '../../core/redis.ts'
import { redisKeysOf } from '../../records/keys.ts'

/** `returned`: to be mended, and not complete. `incomplete`: neither complete nor returned. */
export const STANDINGS = ['sealed', 'complete', 'returned', 'incomplete'] as const
export type Standing = (typeof STANDINGS)[number]

/** Submissions of one profile with one deadline. */
export type Group = { deadlineMs: number; profile: string }
type Submission = { owner: string; submissionId: string }

/** A group is shown from when its deadline comes in sight until a week after it. */
const AFTER_MS = 7 * 86_400_000
const BEFORE_MS = 90 * 86_400_000
const MAX_GROUPS = 12

const putStandingCommand = commandLoader(new URL('./commands/', import.meta.url))('put-standing')

/** @param how null: no longer, or without a deadline */
export async function putStanding(
  redis: RedisConnection,
  { owner, submissionId }: Submission,
  how: (Group & { standing: Standing }) | null,
): Promise<void> {
  const { standingOf, standings, standingGroups } = redisKeysOf(redis)
  const place = how === null ? ['', '', ''] : [nameOf(how), how.standing, String(how.deadlineMs)]
  await run(redis, putStandingCommand, [standingOf, standings, standingGroups], [`${owner}/${submissionId}`, ...place])
}

/** The groups whose deadline is near, by deadline, with how many submissions stand how. */
export async function readGroups(
  redis: RedisConnection,
  nowMs: number,
): Promise<(Group & { counts: Record<Standing, number> })[]> {
  const [from, to] = [nowMs - AFTER_MS, nowMs + BEFORE_MS]
  const names = await viaRedis(redis.zrangebyscore(redisKeysOf(redis).standingGroups, from, to, 'LIMIT', 0, MAX_GROUPS))
  if (names.length === 0) return []
  const ask = redis.pipeline()
  for (const name of names)
    for (const standing of STANDINGS) ask.zlexcount(redisKeysOf(redis).standings, ...rangeOf(`${name}\t${standing}`))
  const answers = ((await viaRedis(ask.exec())) ?? []).map(([error, count]) => {
    if (error) throw error
    return Number(count)
  })
  return names.map((name, i) => ({
    ...groupOf(name),
    counts: Object.fromEntries(
      STANDINGS.map((standing, j) => [standing, answers[i * STANDINGS.length + j] ?? 0]),
    ) as Record<Standing, number>,
  }))
}

/** The submissions of a group that stand so, by portal and id, `limit` of them after one of them. */
export async function readStanding(
  redis: RedisConnection,
  group: Group,
  standing: Standing,
  page: { after: string; limit: number },
): Promise<Submission[]> {
  const prefix = `${nameOf(group)}\t${standing}`
  const [first, last] = rangeOf(prefix)
  const from = page.after === '' ? first : `(${prefix}\t${page.after}`
  const members = await viaRedis(redis.zrangebylex(redisKeysOf(redis).standings, from, last, 'LIMIT', 0, page.limit))
  return members.map((member) => {
    const name = member.slice(prefix.length + 1)
    const slash = name.indexOf('/')
    return { owner: name.slice(0, slash), submissionId: name.slice(slash + 1) }
  })
}

/** Members are `deadline TAB profile TAB standing TAB portal/submission`; a line feed comes right after a tab. */
function rangeOf(prefix: string): [string, string] {
  return [`[${prefix}\t`, `(${prefix}\n`]
}

function nameOf({ deadlineMs, profile }: Group): string {
  return `${deadlineMs}\t${profile}`
}

function groupOf(name: string): Group {
  const [deadline, profile = ''] = name.split('\t')
  return { deadlineMs: Number(deadline), profile }
}
