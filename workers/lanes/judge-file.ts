// The verdict of the rules, plus one case that only the tools know: a file that none of them can open.

import type { Judgement } from '../../src/submissions/rules/checks.ts'
import { findingsFor } from '../../src/submissions/rules/findings.ts'
import { type JudgeInput, judge } from '../../src/submissions/rules/judge.ts'
import type { Measurement } from './measurement.ts'

/** Codes that the rules give for missing measurements. */
const GUESSES: ReadonlySet<string> = new Set(['INCOMPLETE_FILE', 'NO_VIDEO', 'NO_AUDIO'])
const GUESSED_CHECKS: ReadonlySet<string> = new Set(['complete', 'picture', 'sound', 'duration'])

export function judgeFile(input: Omit<JudgeInput, 'measured'>, measurement: Measurement): Judgement {
  const judgement = judge({ ...input, measured: measurement.measured })
  if (measurement.unreadable !== true) return judgement
  const findings = findingsFor(input.slot)
  findings.add('VIDEO_UNDECODABLE', {})
  const [undecodable] = findings.problems
  // The profile does not check it, or the file is rejected because of its type.
  const isWanted = input.slot.media.some(({ kind }) => kind === measurement.measured.kind)
  if (undecodable === undefined || !isWanted) return judgement
  const problems = [...judgement.problems.filter(({ code }) => !GUESSES.has(code)), undecodable]
  return {
    problems,
    checks: [
      ...judgement.checks.filter(({ name, state }) => state !== 'pending' && !GUESSED_CHECKS.has(name)),
      { name: 'decodable', state: undecodable.severity === 'reject' ? 'failed' : 'warned' },
    ],
    accepted: problems.every(({ severity }) => severity !== 'reject'),
  }
}
