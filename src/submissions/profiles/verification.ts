// How well a value of a requirement profile is known, and which values are enforced. Free of Node: the teacher's page asks too.

/**
 * `seed`: said by the documents this project started from. `secondary`: said by a public page that names the circular.
 * `default`: a choice of this project where no rule is known. These three are enforced.
 * `inferred`, `memory`, `unknown`: kept so that somebody can check them, never enforced.
 */
export const VERIFICATION_WORDS = ['seed', 'secondary', 'default', 'inferred', 'memory', 'unknown'] as const
export type VerificationWord = (typeof VERIFICATION_WORDS)[number]

const ENFORCED_WORDS: readonly VerificationWord[] = ['seed', 'secondary', 'default']

/** A value without a word is the operator's own and holds. */
export function isEnforced(word: VerificationWord | undefined): boolean {
  return word === undefined || ENFORCED_WORDS.includes(word)
}
