// How well profile values are verified, and which are enforced. Also used by the page, so without Node APIs.

/**
 * `seed`: from the documents this project started with. `secondary`: from a public page that cites the circular.
 * `default`: chosen by this project, no rule is known. These three are enforced.
 * `inferred`, `memory`, `unknown`: kept for checking, never enforced.
 */
export const VERIFICATION_WORDS = ['seed', 'secondary', 'default', 'inferred', 'memory', 'unknown'] as const
export type VerificationWord = (typeof VERIFICATION_WORDS)[number]

const ENFORCED_WORDS: readonly VerificationWord[] = ['seed', 'secondary', 'default']

/** A value without a word is the operator's own and is enforced. */
export function isEnforced(word: VerificationWord | undefined): boolean {
  return word === undefined || ENFORCED_WORDS.includes(word)
}
