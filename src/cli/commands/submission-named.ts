// Finds a submission by PORTAL/ID, or by ID alone if only one portal has it.

import { viaRedis } from '../../core/redis.ts'
import { redisKeysOf } from '../../records/keys.ts'
import type { Context } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'

/** Throws a CliError if there is none, or if several portals have this id. */
export async function submissionNamed(context: Context, name: string): Promise<{ owner: string; id: string }> {
  const found = await submissionsNamed(context, name)
  const [only] = found
  if (only === undefined) throw new CliError(`There is no submission ${name}.`, EXIT.notFound)
  if (found.length > 1) throw usageError(`Which one? ${found.map(({ owner, id }) => `${owner}/${id}`).join(', ')}`)
  return only
}

async function submissionsNamed({ deps }: Context, name: string): Promise<{ owner: string; id: string }[]> {
  const slash = name.indexOf('/')
  const id = name.slice(slash + 1)
  const owners =
    slash >= 0
      ? [name.slice(0, slash)]
      : [
          ...new Set([
            ...deps.config.apiKeys.map((key) => key.name),
            ...(await viaRedis(deps.redis.producer.smembers(redisKeysOf(deps.redis.producer).owners))),
          ]),
        ]
  const found: { owner: string; id: string }[] = []
  for (const owner of owners) if ((await deps.heads.fromStore(owner, id)) !== undefined) found.push({ owner, id })
  return found
}
