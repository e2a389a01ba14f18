// What is left of a submission that was erased: the newest version of its head, and nothing else.

import { objectKeys } from '../../../src/records/keys.ts'
import type { Hand } from '../model.ts'
import { OWNER, type Stage } from '../stage/stage.ts'
import { headsOf } from './records.ts'

export function isErased({ files }: Hand): boolean {
  return files.some(({ end }) => end === 'erased')
}

/** Nobody waits for webhooks about what is erased. */
export function erasedIds(hands: readonly Hand[]): Set<string> {
  return new Set(hands.filter(isErased).map(({ submissionId }) => submissionId))
}

export async function auditErased({ bytes }: Stage, { submissionId }: Hand): Promise<string[]> {
  const heads = await headsOf(bytes, submissionId)
  const prefixes = [objectKeys.attempts(OWNER, submissionId), objectKeys.news(OWNER, submissionId)]
  const left = (await Promise.all(prefixes.map((prefix) => bytes.list(prefix)))).flat()
  const errors = left.map((key) => `left of what was erased: ${key}`)
  if (heads.length !== 1 || heads[0]?.erasedAt === undefined) errors.push(`${heads.length} heads of what was erased`)
  return errors
}
