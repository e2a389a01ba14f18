// Redis commands of our own: Lua, a file each in the folder `commands` of its room, which Redis runs in one step. ioredis
// sends the source over each connection once and its hash from then on, also in pipelines, and again where Redis forgot it.

import { readFileSync } from 'node:fs'
import type { ChainableCommander } from 'ioredis'
import { type RedisConnection, viaRedis } from './redis.ts'

export type LuaCommand = { readonly name: string; readonly lua: string }

/** Constants, and tables of names, that TypeScript and Lua share: each is a local of the commands that mention it. */
export type LuaLocals = Readonly<Record<string, string | number | Readonly<Record<string, string>>>>

type Arguments = readonly (string | number)[]
type Target = RedisConnection | ChainableCommander
type Method = (keyCount: number, ...keysAndArguments: Arguments) => unknown

const INCLUDE = /^--- @include "(.+)"$/gm

/**
 * Reads `{name}.lua` of a folder and what it includes.
 *
 * @param folder `new URL('./commands/', import.meta.url)`: the build copies the files to the same place in `dist`
 */
export function commandLoader(folder: URL, locals: LuaLocals = {}): (name: string) => LuaCommand {
  return (name) => {
    const source = readWithIncludes(new URL(`${name}.lua`, folder))
    const given = Object.entries(locals).map((local) => declarationOf(local, source))
    return { name, lua: given.join('') + source }
  }
}

function readWithIncludes(file: URL): string {
  return readFileSync(file, 'utf8').replace(INCLUDE, (_, path: string) => readWithIncludes(new URL(path, file)))
}

/** Only what the command mentions: Redis builds a table anew in each run. */
function declarationOf([local, value]: [string, LuaLocals[string]], source: string): string {
  const isMentioned = (name: string) => new RegExp(`\\b${name}\\b`).test(source)
  if (typeof value !== 'object') return isMentioned(local) ? `local ${local} = ${JSON.stringify(value)}\n` : ''
  const members = Object.entries(value)
    .filter(([member]) => isMentioned(`${local}\\.${member}`))
    .map(([member, text]) => `${member} = ${JSON.stringify(text)}`)
  return members.length === 0 ? '' : `local ${local} = { ${members.join(', ')} }\n`
}

/** Runs a command; Redis trouble becomes REDIS_UNAVAILABLE. A call may be sent twice, so each command is idempotent. */
export async function run(
  redis: RedisConnection,
  command: LuaCommand,
  keys: readonly string[],
  args: Arguments,
): Promise<unknown> {
  return await viaRedis(asked(redis, { command, keys, args })(redis) as Promise<unknown>)
}

export type LuaCall = { command: LuaCommand; keys: readonly string[]; args: Arguments }

/** Makes the calls as `askAll` asks its questions: in a cluster in no order. */
export async function runMany(redis: RedisConnection, calls: readonly LuaCall[]): Promise<unknown[]> {
  return await askAll(
    redis,
    calls.map((made) => asked(redis, made)),
  )
}

/** Makes the calls one after the other: on one server in one round trip. */
export async function runInOrder(redis: RedisConnection, calls: readonly LuaCall[]): Promise<unknown[]> {
  if (!redis.isCluster) return await runMany(redis, calls)
  const answers: unknown[] = []
  for (const { command, keys, args } of calls) answers.push(await run(redis, command, keys, args))
  return answers
}

/** The call as a question of `askAll`. */
export function asked(redis: RedisConnection, { command, keys, args }: LuaCall): (to: Target) => unknown {
  define(redis, command)
  return (to) => call(to, command, keys, args)
}

/**
 * Sends several commands at once: on one server in one round trip and in this order, in a cluster each to its node. Each
 * question calls one command. Answers in the order of the questions. Throws REDIS_UNAVAILABLE, or what the first failing one threw.
 */
export async function askAll(
  redis: RedisConnection,
  questions: readonly ((to: ChainableCommander) => unknown)[],
): Promise<unknown[]> {
  if (questions.length === 0) return []
  if (redis.isCluster) {
    const to = redis as unknown as ChainableCommander
    return await viaRedis(Promise.all(questions.map((question) => question(to))))
  }
  const pipeline = redis.pipeline()
  for (const question of questions) question(pipeline)
  return ((await viaRedis(pipeline.exec())) ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

/** On first use. Names have hyphens, so that none hides a command of Redis or a method of ioredis. */
function define(redis: RedisConnection, { name, lua }: LuaCommand): void {
  if (!(name in redis)) redis.defineCommand(name, { lua })
}

/** ioredis makes a method of each defined command, also of the pipelines and transactions that are begun afterwards. */
function call(target: Target, { name }: LuaCommand, keys: readonly string[], args: Arguments): unknown {
  const methods = target as unknown as Record<string, Method>
  return methods[name]?.(keys.length, ...keys, ...args)
}
