// `find`: submissions by part of a person's name, of their id, or of a file name.

import type { CaseSummary } from '../../support/lookup.ts'
import { searchFollower } from '../../support/search.ts'
import type { Command, Context } from '../command.ts'
import { EXIT, usageError } from '../errors.ts'
import { tableLines } from '../render.ts'

const MAX_FOUND = 50

export const find: Command = {
  name: 'find',
  takes: 'TEXT…',
  summary: 'finds submissions by person, submission id, file name or portal metadata',
  help: [
    'All words must match; parts of words match too. An upload id finds its submission.',
    'Searches an index in Redis, which a running service keeps up to date; the store is not scanned.',
  ],
  options: {},
  prepare(positionals) {
    const text = positionals.join(' ').trim()
    if (text === '') throw usageError('find: a text is required')
    return (context) => run(context, text)
  },
}

const isThere = (item: CaseSummary | undefined): item is CaseSummary => item !== undefined

async function run(context: Context, text: string) {
  const { deps, find: index, support } = context
  // If no service is running, the index is updated here.
  await searchFollower(deps).follow()
  const byId = await support.ofUpload(text)
  const { found, more } = byId === undefined ? await index.search(text, MAX_FOUND) : { found: [byId], more: false }
  const items = (await Promise.all(found.map((one) => support.summary(one)))).filter(isThere)
  const on =
    items.length === 0 ? null : `submission ${items.map((one) => `${one.owner}/${one.submissionId}`).join(' ')}`
  const security = { event: 'personal.search', on } as const
  if (items.length === 0)
    return { json: { items, more }, text: [`No match for "${text}".`], exitCode: EXIT.notFound, security }
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
  return { json: { items, more }, text: [...lines, ...(more ? ['… and more: use a longer text.'] : [])], security }
}
