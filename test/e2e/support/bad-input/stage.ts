// What the tests of bad input share: one service, one worker, one folder of files.

import type { Corpus } from '../../../support/media/corpus.ts'
import type { Installation } from '../installation.ts'

export type Stage = { readonly stack: Installation; readonly corpus: Corpus }

/** A token that a page of this submission has. */
export async function session({ stack }: Stage, submissionId: string, can: string[]): Promise<string> {
  const { status, text } = await stack.call('POST', `/v1/submissions/${submissionId}/sessions`, { can })
  if (status !== 201) throw new Error(`POST sessions: ${status} ${text}`)
  return (JSON.parse(text) as { token: string }).token
}

/** A slot of the submission's document, and whether it is among those that are missing. */
export async function slotOf({ stack }: Stage, submissionId: string, slot: string) {
  const { slots, missing } = await stack.portal.submission(submissionId)
  return { ...slots.find((one) => one.slot === slot), isMissing: missing.includes(slot) }
}
