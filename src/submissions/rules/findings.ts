// Collects problems with the severities of a slot.

import type { FileProblem, Severity } from '../../records/upload-record.ts'
import type { SlotRules } from '../profiles/profile.ts'
import type { RuleCode, RuleSeverity } from './codes.ts'
import type { ProblemFacts } from './facts.ts'
import { problemOf } from './texts.ts'

export type Findings = {
  readonly problems: FileProblem[]
  /**
   * Adds a problem, unless the profile has switched the rule off. Adds the name of the file.
   *
   * @param asGraveAs another rule whose severity is used
   */
  add<C extends RuleCode>(code: C, facts: Omit<ProblemFacts[C], 'name'>, asGraveAs?: RuleCode): void
}

/** @param adjust may lower a severity, e.g. if a lane may not reject */
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
  // Every member of ProblemFacts is `Named` plus its own.
  return problemOf(code, severity, { ...facts, name: slot.shortLabel } as ProblemFacts[C])
}
