// `find`: submissions by a part of a person's name, of their own name, or of a file's.

import { hostname } from 'node:os'
import { FindFollower } from '../../ops/find/follower.ts'
import type { CaseSummary } from '../../support/lookup.ts'
import type { Command, Context } from '../command.ts'
import { EXIT, usageError } from '../errors.ts'
import { tableLines } from '../render.ts'

const MAX_FOUND = 50

export const find: Command = {
  name: 'find',
  takes: 'TEXT…',
  summary: 'submissions by person, submission id, file name, or what the portal says of them',
  help: [
    'All words have to fit, each may be a part of one. An upload id finds its submission.',
    'Looks in an index in Redis, which a running service keeps up; nothing in the store is read through.',
  ],
  options: {},
  prepare(positionals) {
    const text = positionals.join(' ').trim()
    if (text === '') throw usageError('find what?')
    return (context) => run(context, text)
  },
}

const isThere = (item: CaseSummary | undefined): item is CaseSummary => item !== undefined

async function run(context: Context, text: string) {
  const { deps, find: index, cases } = context
  // Where no service is running, the index is brought up to date here.
  const redis = deps.redis.producer
  const name = `${hostname()}:${process.pid}`
  await new FindFollower({ redis, heads: deps.heads, find: index, logger: deps.logger, name }).follow()
  const byId = await cases.ofUpload(text)
  const { found, more } = byId === undefined ? await index.search(text, MAX_FOUND) : { found: [byId], more: false }
  const items = (await Promise.all(found.map((one) => cases.summary(one)))).filter(isThere)
  if (items.length === 0) return { json: { items, more }, text: [`No match for "${text}".`], exitCode: EXIT.notFound }
  const rows = items.map(({ owner, submissionId, state, subjects, filenames, uploads, updatedAt }) => [
    `${owner}/${submissionId}`,
    state,
    subjects.join(', '),
    filenames.join(', '),
    Object.entries(uploads)
      .map(([of, count]) => `${count} ${of}`)
      .join(', '),
    updatedAt,
  ])
  const lines = tableLines(rows, ['submission', 'state', 'person', 'files', 'uploads', 'changed'])
  return { json: { items, more }, text: [...lines, ...(more ? ['… and more: say more of it.'] : [])] }
}
