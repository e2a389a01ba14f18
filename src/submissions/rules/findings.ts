// Collects problems under one slot's severities: a rule reports what it found, the profile says how grave it is.

import type { FileProblem, Severity } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import type { RuleCode, RuleSeverity } from './codes.ts'
import type { ProblemFacts } from './facts.ts'
import { problemOf } from './texts.ts'

export type Findings = {
  readonly problems: FileProblem[]
  /**
   * Records a problem, unless the profile has the rule off. The file's name in sentences is added.
   *
   * @param asGraveAs the rule whose severity counts, where it is not the code's own
   */
  add<C extends RuleCode>(code: C, facts: Omit<ProblemFacts[C], 'name'>, asGraveAs?: RuleCode): void
}

/** @param adjust may soften a severity, e.g. where a lane may not reject */
export function findingsFor(
  slot: SlotRules,
  adjust: (code: RuleCode, severity: RuleSeverity) => RuleSeverity = (_, severity) => severity,
): Findings {
  const problems: FileProblem[] = []
  return {
    problems,
    add(code, facts, asGraveAs = code) {
      const severity = adjust(asGraveAs, slot.severities[asGraveAs])
      if (severity === 'off') return
      problems.push(worded(code, severity, slot, facts))
    },
  }
}

function worded<C extends RuleCode>(
  code: C,
  severity: Severity,
  slot: SlotRules,
  facts: Omit<ProblemFacts[C], 'name'>,
): FileProblem {
  // Every member of ProblemFacts is `Named` plus its own: with the name added it is whole again.
  return problemOf(code, severity, { ...facts, name: slot.shortLabel } as ProblemFacts[C])
}
