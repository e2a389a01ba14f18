// `erase`: deletes a submission with all that is kept about it, as DELETE does; or finishes deletions, also those of former
// versions, which left names in records. Shows what it would do; --yes does it.

import { objectKeys, submissionOfKey } from '../../records/keys.ts'
import { type Command, type Context, flag, type Result } from '../command.ts'
import { EXIT, usageError } from '../errors.ts'
import { submissionNamed } from './submission-named.ts'

export const erase: Command = {
  name: 'erase',
  takes: '[PORTAL/]SUBMISSION | --deleted [--yes]',
  summary: 'erases a submission and everything that is kept about it',
  help: [
    '--deleted   finishes every deletion that is not finished, also those made by former versions',
    '--yes       do it; without it nothing is changed',
    'It cannot be undone. Receipts that people hold can still be verified. The portal is not told: it should call DELETE.',
  ],
  options: { deleted: flag, yes: flag },
  prepare(names, values) {
    const deleted = values['deleted'] === true
    const [name, ...more] = names
    if (deleted ? name !== undefined : name === undefined || more.length > 0)
      throw usageError('erase takes one SUBMISSION, or --deleted')
    const yes = values['yes'] === true
    return (context) => (name === undefined ? finish(context, yes) : one(context, name, yes))
  },
}

async function one(context: Context, name: string, yes: boolean): Promise<Result> {
  const { deps, operator } = context
  const { owner, id } = await submissionNamed(context, name)
  const uploads = (await deps.heads.uploadIds(owner, id)).length
  const what = `${owner}/${id} with ${uploads} ${uploads === 1 ? 'upload' : 'uploads'}`
  if (!yes) {
    const text = [`${what} would be erased.`, 'Nothing was changed. Add --yes to erase it; that cannot be undone.']
    return { json: { dryRun: true, owner, id, uploads }, text }
  }
  const isGone = await deps.erasure.submission(owner, id, operator)
  return {
    json: { dryRun: false, owner, id, uploads, finished: isGone },
    text: [
      isGone ? `${what}: erased.` : `${what}: deleted. A job is still at work on it; the rest goes within minutes.`,
    ],
  }
}

async function finish({ deps, operator }: Context, yes: boolean): Promise<Result> {
  const found: string[] = []
  const failed: string[] = []
  let last = ''
  for await (const { key } of deps.store.list(objectKeys.submissions)) {
    const named = submissionOfKey(key)
    if (named === undefined || `${named.owner}/${named.id}` === last) continue
    const { owner, id } = named
    last = `${owner}/${id}`
    const head = await deps.heads.fromStore(owner, id)
    if (head?.state !== 'deleted' || head.erasedAt !== undefined) continue
    found.push(last)
    if (!yes) continue
    try {
      await deps.erasure.submission(owner, id, operator)
    } catch (err) {
      failed.push(`${last}: ${String(err)}`)
    }
  }
  const count = `${found.length} ${found.length === 1 ? 'deletion' : 'deletions'}`
  return {
    json: { dryRun: !yes, found, failed },
    text: [yes ? `${count} finished.` : `${count} would be finished. Add --yes to do it.`, ...failed],
    exitCode: failed.length > 0 ? EXIT.failed : EXIT.done,
  }
}
