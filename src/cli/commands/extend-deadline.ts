// `extend-deadline`: after an outage, moves the dates of all matching open submissions. Shows a list; --yes moves them.

import { isoTime } from '../../core/clock.ts'
import { moveForOutage } from '../../submissions/deadlines/outage-rule.ts'
import {
  type Extension,
  type ExtensionFilter,
  extendDeadline as extend,
  findExtensions,
  type Move,
  moveBy,
} from '../../submissions/extend-deadline.ts'
import { type Command, type Context, flag, type Result, text, textOf } from '../command.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { tableLines, timeInWords } from '../render.ts'
import { durationMs, momentMs } from '../values.ts'

const NAME = /^[A-Za-z0-9._-]{1,64}$/
/** Lines shown to people; `--json` has all. */
const MAX_SHOWN = 20

export const extendDeadline: Command = {
  name: 'extend-deadline',
  takes:
    '--by TIME [--id NAME] [--due-from T] [--due-until T] | --for-outage ID, [--profile P] [--portal NAME] [--submission ID] [--yes]',
  summary: 'moves the dates of all matching open submissions, after an outage',
  help: [
    '--for-outage ID   dates that fell into this outage (songngan outages lists them), by the rule of the runbook: what was',
    '                  lost is given back, and an hour after its end at least; each submission once',
    '--by TIME         by how much: 2h, 90m, 1d',
    '--id NAME         moves each submission only once per name, also if the command is repeated [TIME and date: 2h-2026-09-30]',
    '--profile P       only of this profile (teacher.K4, or with version: teacher.K4@1)',
    '--portal NAME     only of the portal whose API key has this name',
    '--submission ID   only this one',
    '--due-from T, --due-until T   only with a deadline in this range: a time, or how long ago (2h)',
    '--yes             move them; without it nothing is changed',
    'The repair time of returned submissions moves too. Sealed submissions are not changed. Inform the portals:',
    'a later PUT with the old deadline sets it back.',
  ],
  options: {
    'for-outage': text,
    by: text,
    id: text,
    profile: text,
    portal: text,
    submission: text,
    'due-from': text,
    'due-until': text,
    yes: flag,
  },
  prepare(positionals, values) {
    if (positionals.length > 0) throw usageError('extend-deadline takes only options')
    const outage = textOf(values, 'for-outage')
    const by = textOf(values, 'by')
    if ((by === undefined) === (outage === undefined))
      throw usageError('--by TIME (2h, 90m, 1d) or --for-outage ID is required, and not both')
    const name = textOf(values, 'id')
    if (name !== undefined && !NAME.test(name)) throw usageError('--id: 1 to 64 of A-Z a-z 0-9 . _ -')
    const chosen = ['id', 'due-from', 'due-until'].filter((option) => values[option] !== undefined)
    if (outage !== undefined && chosen.length > 0)
      throw usageError(`--for-outage itself says which dates, and once for each: without --${chosen.join(', --')}`)
    const byMs = by === undefined ? 0 : durationMs(by, '--by')
    const yes = values['yes'] === true
    filterOf(textsOf(values), 0)
    return async (context) => {
      const filter = filterOf(textsOf(values), context.nowMs)
      if (outage !== undefined) return await run(context, filter, await requestFor(context, outage, yes))
      const move = moveBy(byMs, name ?? usualName(by ?? '', context.nowMs))
      return await run(context, filter, { move, byMs, words: `by ${timeInWords(byMs)}`, yes })
    }
  },
}

async function requestFor({ deps }: Context, id: string, yes: boolean): Promise<ExtensionRequest> {
  const outage = await deps.outages.find(id)
  if (outage === undefined)
    throw new CliError(`There is no outage ${id} in the ledger. songngan outages lists them.`, EXIT.notFound)
  return { move: moveForOutage(outage), words: `for the outage ${id} (${outage.from} to ${outage.to})`, yes }
}

/** The default name: repeating the command after a lost connection must not move the dates twice. */
function usualName(by: string, nowMs: number): string {
  return `${by}-${isoTime(nowMs).slice(0, 10)}`
}

type Texts = Record<string, string | undefined>

function textsOf(values: Parameters<Command['prepare']>[1]): Texts {
  const names = ['profile', 'portal', 'submission', 'due-from', 'due-until']
  return Object.fromEntries(names.map((name) => [name, textOf(values, name)]))
}

function filterOf(texts: Texts, nowMs: number): ExtensionFilter {
  const { profile, portal, submission, 'due-from': from, 'due-until': until } = texts
  return {
    ...(profile === undefined ? {} : { profile }),
    ...(portal === undefined ? {} : { owner: portal }),
    ...(submission === undefined ? {} : { submissionId: submission }),
    ...(from === undefined ? {} : { dueFromMs: momentMs(from, '--due-from', nowMs) }),
    ...(until === undefined ? {} : { dueUntilMs: momentMs(until, '--due-until', nowMs) }),
  }
}

/** `words`: by how much, or for what. */
type ExtensionRequest = { move: Move; byMs?: number; words: string; yes: boolean }

async function run({ deps }: Context, filter: ExtensionFilter, request: ExtensionRequest): Promise<Result> {
  const { move, byMs, yes } = request
  const { name } = move
  const moved: Extension[] = []
  const already: Extension[] = []
  const setSince: Extension[] = []
  const failed: { owner: string; submissionId: string; error: string }[] = []
  for await (const one of findExtensions(deps, filter, move)) {
    if (one.already) already.push(one)
    if (one.setSince === true) setSince.push(one)
    else if (!yes && !one.already) moved.push(one)
    else if (yes) {
      try {
        // It may have been sealed or moved since it was found; what is moved already, another command may not have told.
        const head = await extend(deps, one, move)
        if (head !== undefined) moved.push({ ...one, moved: head.deadline ?? one.moved })
      } catch (error) {
        const { owner, submissionId } = one
        failed.push({ owner, submissionId, error: String(error) })
      }
    }
  }
  const json = {
    dryRun: !yes,
    id: name,
    ...(byMs === undefined ? {} : { bySeconds: byMs / 1000 }),
    at: isoTime(deps.clock.now()),
    moved,
    already,
    setSince,
    failed,
  }
  const on = filter.submissionId === undefined ? `move ${name}` : `submission ${filter.submissionId}`
  const what = `${moved.length} submissions moved ${request.words} (${name}), ${failed.length} failed`
  const security = { event: 'deadline.extend', result: failed.length > 0 ? 'failed' : 'ok', on, what } as const
  return {
    json,
    ...(yes ? { security } : {}),
    text: words(request, { moved, already, setSince, failed }),
    exitCode:
      failed.length > 0
        ? EXIT.failed
        : moved.length + already.length + setSince.length === 0
          ? EXIT.notFound
          : EXIT.done,
  }
}

type Found = {
  moved: readonly Extension[]
  already: readonly Extension[]
  setSince: readonly Extension[]
  failed: readonly { owner: string; submissionId: string; error: string }[]
}

function words(
  { move: { name }, words, yes }: ExtensionRequest,
  { moved, already, setSince, failed }: Found,
): string[] {
  const rows = moved
    .slice(0, MAX_SHOWN)
    .map((one) => [
      `${one.owner}/${one.submissionId}`,
      one.profile,
      one.deadline,
      one.moved,
      one.repairUntil === undefined ? '' : `repair until ${one.repairUntil}`,
    ])
  const left = moved.length - rows.length
  return [
    ...(rows.length === 0 ? [] : tableLines(rows, ['submission', 'profile', 'deadline', 'moved to', ''])),
    ...(left > 0 ? [`… and ${left} more (--json lists all)`] : []),
    `${moved.length} ${moved.length === 1 ? 'submission' : 'submissions'} ${yes ? 'moved' : 'would be moved'} ${words}.`,
    ...(already.length > 0
      ? [`${already.length} already moved as ${name}, or for an outage at the same time: not changed.`]
      : []),
    ...(setSince.length > 0
      ? [`${setSince.length} not changed: their dates were set after the outage (--json lists them; --by moves them).`]
      : []),
    ...failed.map(({ owner, submissionId, error }) => `${owner}/${submissionId}: ${error}`),
    ...(failed.length > 0 ? ['Repeat the same command: no date is moved twice.'] : []),
    ...(yes || moved.length === 0 ? [] : [`Nothing was changed. Add --yes to move them (name: ${name}).`]),
  ]
}
